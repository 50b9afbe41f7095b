import { type FieldError, forbiddenField, invalid, required } from '../../apimachinery/field.ts';
import { parseNetwork } from '../../apimachinery/networks.ts';
import type {
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from '../../generated/types/networking.v1.ts';
import type { Strategy } from '../resource.ts';
import { port, portOrName } from '../validation/formats.ts';
import { isStrictSubset, strictCidr } from '../validation/networks.ts';
import { each, oneOf, present, type Rule } from '../validation/rules.ts';
import { labelSelector } from '../validation/selectors.ts';

const portRule: Rule<NetworkPolicyPort> = (value, path, errors) => {
  present(oneOf('TCP', 'UDP', 'SCTP'))(value.protocol, `${path}.protocol`, errors);
  const at = `${path}.endPort`;
  if (value.port !== undefined) portOrName(value.port, `${path}.port`, errors);
  if (value.endPort === undefined) return;
  if (typeof value.port !== 'number') {
    const what = value.port === undefined ? 'not specified' : 'non-numeric';
    errors.push(invalid(at, value.endPort, `may not be specified when \`port\` is ${what}`));
    return;
  }
  // Upstream shows the port here, not the end.
  if (value.endPort < value.port) errors.push(invalid(at, value.port, 'must be greater than or equal to `port`'));
  port(value.endPort, at, errors);
};

const peerRule: Rule<NetworkPolicyPeer> = (peer, path, errors) => {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (podSelector === undefined && namespaceSelector === undefined && ipBlock === undefined) {
    errors.push(required(path, 'must specify a peer'));
  } else if (ipBlock !== undefined && (podSelector !== undefined || namespaceSelector !== undefined)) {
    errors.push(forbiddenField(path, 'may not specify both ipBlock and another peer'));
  }
  labelSelector(podSelector, `${path}.podSelector`, errors);
  labelSelector(namespaceSelector, `${path}.namespaceSelector`, errors);
  if (ipBlock === undefined) return;
  const at = `${path}.ipBlock`;
  const outer = parseNetwork(ipBlock.cidr ?? '');
  if (!ipBlock.cidr) errors.push(required(`${at}.cidr`));
  else strictCidr(ipBlock.cidr, `${at}.cidr`, errors);
  // Within what cannot be read nothing is told to be.
  if (outer === undefined) return;
  ipBlock.except?.forEach((except, index) => {
    strictCidr(except, `${at}.except[${index}]`, errors);
    const inner = parseNetwork(except);
    if (inner !== undefined && !isStrictSubset(inner, outer)) {
      errors.push(invalid(`${at}.except[${index}]`, except, 'must be a strict subset of `cidr`'));
    }
  });
};

function validate({ spec = {} as NetworkPolicySpec }: NetworkPolicy): FieldError[] {
  const errors: FieldError[] = [];
  labelSelector(spec.podSelector, 'spec.podSelector', errors);
  spec.ingress?.forEach((rule, index) => {
    each(portRule)(rule.ports, `spec.ingress[${index}].ports`, errors);
    each(peerRule)(rule.from, `spec.ingress[${index}].from`, errors);
  });
  spec.egress?.forEach((rule, index) => {
    each(portRule)(rule.ports, `spec.egress[${index}].ports`, errors);
    each(peerRule)(rule.to, `spec.egress[${index}].to`, errors);
  });
  const types: readonly string[] = spec.policyTypes ?? [];
  if (types.length > 2) errors.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'));
  else each<string>(oneOf('Ingress', 'Egress'))(types, 'spec.policyTypes', errors);
  return errors;
}

/** How NetworkPolicies are made: which directions they are about follows from their rules. */
export const networkPolicy: Strategy<NetworkPolicy> = {
  tellsEmpty: true,
  metadataChecks: [0, 1],
  default(policy) {
    policy.spec ??= {} as NetworkPolicySpec;
    const { spec } = policy;
    spec.podSelector ??= {};
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const rulePort of rule.ports ?? []) rulePort.protocol ??= 'TCP';
    }
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
  },
  validate,
};
