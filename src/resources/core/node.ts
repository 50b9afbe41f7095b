import {
  duplicate,
  type FieldError,
  forbiddenField,
  internalError,
  invalid,
  required,
} from '../../apimachinery/field.ts';
import { isLabelValue } from '../../apimachinery/names.ts';
import { cidrFamily } from '../../apimachinery/networks.ts';
import type { Node, NodeSpec, Taint } from '../../generated/types/core.v1.ts';
import { statusSubresource } from '../group.ts';
import { keep } from '../strategies.ts';
import { qualifiedName } from '../validation/formats.ts';
import { nullable, struct, text } from '../validation/go-struct.ts';
import { cidrWarnings } from '../validation/network-warnings.ts';
import { strictCidr } from '../validation/networks.ts';
import { resourceQuantity } from '../validation/resource-names.ts';
import { unsupported } from '../validation/rules.ts';
import { core } from './group.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function taints(list: readonly Taint[] | undefined, errors: FieldError[]): void {
  const seen = new Set<string>();
  list?.forEach((taint, index) => {
    // Upstream's path.
    const at = `metadata.taints[${index}]`;
    qualifiedName(taint.key, `${at}.key`, errors);
    const problems = isLabelValue(taint.value ?? '');
    if (problems.length > 0) errors.push(invalid(`${at}.value`, taint.value, problems.join(';')));
    const effect = taint.effect ?? '';
    if (effect === '') errors.push(required(`${at}.effect`));
    else if (!EFFECTS.includes(effect)) errors.push(unsupported(`${at}.effect`, effect, EFFECTS));
    const key = `${taint.key ?? ''}:${effect}`;
    if (seen.has(key)) {
      const { body, ...rest } = duplicate(at, shownTaint(taint));
      errors.push({ ...rest, body: `${body}: taints must be unique by key and effect pair` });
    }
    seen.add(key);
  });
}

function podCIDRs(list: readonly string[] = [], errors: FieldError[]): void {
  const at = 'spec.podCIDRs';
  list.forEach((network, index) => {
    strictCidr(network, `${at}[${index}]`, errors);
  });
  const families = new Set(list.map(cidrFamily));
  if (list.length > 1 && families.has(0)) {
    const why = 'invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR';
    errors.push(internalError(at, why));
  }
  if (list.length > 1 && (list.length > 2 || families.size < 2 || families.has(0))) {
    errors.push(invalid(at, list, 'may specify no more than one CIDR for each IP family'));
  }
}

function amounts(list: Record<string, string> | undefined, path: string, errors: FieldError[]): void {
  for (const name in list) resourceQuantity(name, list[name] as string, `${path}.${name}`, errors);
}

function validate(node: Node): FieldError[] {
  const errors: FieldError[] = [];
  taints(node.spec?.taints, errors);
  podCIDRs(node.spec?.podCIDRs, errors);
  amounts(node.status?.capacity as Record<string, string> | undefined, 'status.capacity', errors);
  amounts(node.status?.allocatable as Record<string, string> | undefined, 'status.allocatable', errors);
  return errors;
}

function validateUpdate(node: Node, old: Node): FieldError[] {
  const errors = validate(node);
  // Upstream looks at the taints once for the node and once for the change.
  taints(node.spec?.taints, errors);
  const spec: NodeSpec = node.spec ?? {};
  const was: NodeSpec = old.spec ?? {};
  const [cidrs, before]: [readonly string[], readonly string[]] = [spec.podCIDRs ?? [], was.podCIDRs ?? []];
  const moved = cidrs.length === before.length ? before.filter((cidr, i) => cidr !== cidrs[i]) : before.slice(0, 1);
  for (const _ of moved) {
    errors.push(forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  }
  if ((spec.externalID ?? '') !== (was.externalID ?? '')) {
    errors.push(forbiddenField('spec.externalID', 'may not be updated'));
  }
  const addresses = new Set<string>();
  node.status?.addresses?.forEach(({ type = '', address = '' }, index) => {
    const shown = { Type: type, Address: address };
    if (addresses.has(JSON.stringify(shown))) errors.push(duplicate(`status.addresses[${index}]`, shown));
    addresses.add(JSON.stringify(shown));
  });
  if (was.providerID && spec.providerID !== was.providerID) {
    errors.push(forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
  return errors;
}

function warnings({ spec }: Node): string[] {
  const texts: string[] = [];
  if (spec?.externalID) texts.push('spec.externalID: this field is deprecated, and is unused by Kubernetes');
  spec?.podCIDRs?.forEach((cidr, index) => {
    texts.push(...cidrWarnings(cidr, `spec.podCIDRs[${index}]`));
  });
  return texts;
}

/** Of a feature that is no more. */
function dropConfigSource(node: Node): void {
  delete node.spec?.configSource;
  delete node.status?.config;
}

const shownTaint = struct({ Key: text, Value: text, Effect: text, TimeAdded: nullable });

const NODE_INFO = [
  'machineID',
  'systemUUID',
  'bootID',
  'kernelVersion',
  'osImage',
  'containerRuntimeVersion',
  'kubeletVersion',
  'kubeProxyVersion',
  'operatingSystem',
  'architecture',
];

function setDefaults(node: Node): void {
  node.spec ??= {};
  const { spec } = node;
  if (spec.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
  else if (spec.podCIDRs?.length) spec.podCIDR = spec.podCIDRs[0];
  node.status ??= {};
  const { status } = node;
  if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
  status.daemonEndpoints ??= {};
  status.daemonEndpoints.kubeletEndpoint ??= { Port: 0 };
  const info = (status.nodeInfo ?? {}) as Record<string, string>;
  for (const field of NODE_INFO) info[field] ??= '';
  status.nodeInfo = info as typeof status.nodeInfo;
}

/** Nodes. A node that registers brings its status along. */
export const node = core<Node>({
  resource: 'nodes',
  kind: 'Node',
  namespaced: false,
  shortNames: ['no'],
  subresources: [
    { name: 'proxy', kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    statusSubresource('Node'),
  ],
  strategy: {
    default: setDefaults,
    prepareForCreate: dropConfigSource,
    prepareForUpdate(node, old) {
      keep(node, old, 'status');
      dropConfigSource(node);
    },
    validate,
    validateUpdate,
    warnings,
    generation: false,
  },
  selectableFields: ({ spec }) => ({ 'spec.unschedulable': String(spec?.unschedulable ?? false) }),
});
