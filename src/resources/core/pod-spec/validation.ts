/** The whole of a pod's spec. */
import {
  type FieldError,
  forbiddenField,
  invalid,
  required as requiredError,
  tooLong,
} from '../../../apimachinery/field.ts';
import type {
  HostAlias,
  Pod,
  PodDNSConfig,
  PodReadinessGate,
  PodSchedulingGate,
  PodSpec,
} from '../../../generated/types/core.v1.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  ip,
  labels,
  optionalSubdomain,
  qualifiedName,
} from '../../validation/formats.ts';
import { all, each, fields, oneOf, optional, present, type Rule, required, unique } from '../../validation/rules.ts';
import { affinity } from './affinity.ts';
import { annotationErrors, checkedAnnotations } from './annotations.ts';
import {
  activeDeadline,
  type PodContext,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './containers.ts';
import { operatingSystem } from './operating-system.ts';
import { podLevelResources } from './pod-level-resources.ts';
import { tolerations, topologySpreadConstraints } from './scheduling.ts';
import { hostNamespaces, podSecurityContext } from './security-context.ts';
import { validateVolumes } from './volumes.ts';

const SEARCH = /^_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;
const SEARCH_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";

/** Search domains may end in a dot and hold underscores; the root alone is one, too. */
const searchDomain: Rule<string> = (value, path, errors) => {
  const name = value.replace(/\.$/, '');
  if (value === '.') return;
  if (name.length > 253) errors.push(invalid(path, value, 'must be no more than 253 characters'));
  if (!SEARCH.test(name)) errors.push(invalid(path, value, SEARCH_TEXT));
};

const dnsConfig: Rule<PodDNSConfig | undefined> = present((config: PodDNSConfig, path, errors) => {
  each<string>(ip)(config.nameservers, `${path}.nameservers`, errors);
  each(searchDomain)(config.searches, `${path}.searches`, errors);
  config.options?.forEach(({ name }, index) => {
    if (!name) errors.push(requiredError(`${path}.options[${index}]`, 'must not be empty'));
  });
  const searches = config.searches ?? [];
  if (searches.length > 32)
    errors.push(invalid(`${path}.searches`, searches, 'must not have more than 32 search paths'));
  if (searches.join(' ').length > 2048) {
    const detail = 'must not have more than 2048 characters (including spaces) in the search list';
    errors.push(invalid(`${path}.searches`, searches, detail));
  }
  if ((config.nameservers?.length ?? 0) > 3) {
    errors.push(invalid(`${path}.nameservers`, config.nameservers, 'must not have more than 3 nameservers'));
  }
});

function hostnameOverride(spec: PodSpec, path: string, errors: FieldError[]): void {
  const { hostnameOverride: name, setHostnameAsFQDN, hostNetwork } = spec;
  if (name === undefined) return;
  if (setHostnameAsFQDN === true) {
    errors.push(forbiddenField(path, 'may not be specified when setHostnameAsFQDN is true'));
  }
  if (hostNetwork === true) errors.push(forbiddenField(path, 'may not be specified when hostNetwork is true'));
  if (name.length > 64) errors.push(tooLong(path, 64));
  dns1123Subdomain(name, path, errors);
}

const specFields = fields<PodSpec>({
  restartPolicy: required<string | undefined>(oneOf('Always', 'OnFailure', 'Never')),
  dnsPolicy: required<string | undefined>(oneOf('ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None')),
  nodeSelector: labels,
  securityContext: podSecurityContext,
  affinity,
  readinessGates: each(fields<PodReadinessGate>({ conditionType: qualifiedName })),
  schedulingGates: all<readonly PodSchedulingGate[] | undefined>(
    // Upstream's path is that of the gate.
    each<PodSchedulingGate>(({ name }, path, errors) => qualifiedName(name, path, errors)),
    unique<PodSchedulingGate>((gate) => gate.name),
  ),
  topologySpreadConstraints,
  serviceAccountName: optionalSubdomain,
  nodeName: optionalSubdomain,
  activeDeadlineSeconds: activeDeadline,
  hostname: optional<string>(dns1123Label),
  subdomain: optional<string>(dns1123Label),
  tolerations,
  hostAliases: each(fields<HostAlias>({ ip, hostnames: each<string>(dns1123Subdomain) })),
  priorityClassName: optionalSubdomain,
  runtimeClassName: present(dns1123Subdomain),
  preemptionPolicy: present(oneOf('PreemptLowerPriority', 'Never')),
});

/**
 * Errors of a pod's spec at `path` (`ValidatePodSpec`). `podName` names the claims of ephemeral volumes;
 * empty in a template.
 */
export function validatePodSpec(spec: PodSpec, podName: string, path: string, errors: FieldError[]): void {
  const pod: PodContext = {
    volumes: validateVolumes(spec.volumes, podName, `${path}.volumes`, errors),
    hostPorts: new Set(),
    hostNetwork: spec.hostNetwork === true,
  };
  const names = new Set<string>();
  validateContainers(spec.containers, `${path}.containers`, pod, names, errors);
  validateInitContainers(spec.initContainers, `${path}.initContainers`, pod, names, errors);
  validateEphemeralContainers(spec.ephemeralContainers, `${path}.ephemeralContainers`, pod, names, errors);
  specFields(spec, path, errors);
  hostNamespaces(spec, path, errors);
  operatingSystem(spec, path, errors);
  podLevelResources(spec, path, errors);
  hostnameOverride(spec, `${path}.hostnameOverride`, errors);
  const at = `${path}.dnsConfig`;
  if (spec.dnsPolicy !== 'None' || spec.dnsConfig?.nameservers?.length) dnsConfig(spec.dnsConfig, at, errors);
  else if (spec.dnsConfig === undefined) {
    errors.push(requiredError(at, 'must provide `dnsConfig` when `dnsPolicy` is None'));
  } else {
    const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
    errors.push(requiredError(`${at}.nameservers`, detail));
  }
}

/** Errors of a pod on its own, new or changed (`validatePodMetadataAndSpec`). */
export function validatePod(pod: Pod, old?: Pod): FieldError[] {
  const errors = annotationErrors(checkedAnnotations(pod, old), pod.spec);
  validatePodSpec(pod.spec ?? {}, pod.metadata.name, 'spec', errors);
  return errors;
}
