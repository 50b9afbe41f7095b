/** Warnings about what a pod or a template of pods says (`GetWarningsForPod`, `GetWarningsForPodTemplate`). */
import type { KubeObject } from '../../../apimachinery/meta.ts';
import { isDns1123Label } from '../../../apimachinery/names.ts';
import { fractionalBytes } from '../../../apimachinery/quantity.ts';
import type { Container, Pod, PodSpec, PodTemplateSpec } from '../../../generated/types/core.v1.ts';
import { ipWarnings } from '../../validation/network-warnings.ts';
import { deprecatedNodeLabel, nodeSelectorTermWarnings } from '../node-labels.ts';
import { appArmorWarnings } from './app-armor.ts';
import { portWarnings } from './port-warnings.ts';
import { allContainers } from './visit.ts';
import { deprecatedVolumeWarnings, overlapWarnings } from './volume-warnings.ts';

type Annotations = Record<string, string>;

const OLD_ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};
const POD_SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod';
const CONTAINER_SECCOMP = 'container.seccomp.security.alpha.kubernetes.io/';
const NO_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead';

/** What is said of a name that is part of host names, and no label. */
function nameWarnings(name: string, use: string): string[] {
  const problems = isDns1123Label(name);
  if (problems.length === 0) return [];
  const what = `this is used in ${use}, which can result in surprising behavior; a DNS label is recommended`;
  return [`metadata.name: ${what}: [${problems.join(' ')}]`];
}

/** Warnings of a new pod; changes of pods have none. */
export function podWarnings(pod: Pod, old?: Pod): string[] {
  if (old !== undefined) return [];
  const annotations = pod.metadata.annotations ?? {};
  return [
    ...nameWarnings(pod.metadata.name, "the Pod's hostname"),
    ...allWarnings(annotations, pod.spec ?? {}, ''),
    ...appArmorWarnings(annotations, pod.spec ?? {}, 'metadata.annotations', true),
  ];
}

/** Warnings of a template, which is at `path`. */
export function podTemplateWarnings(template: PodTemplateSpec | undefined, path: string): string[] {
  const { metadata, spec = {} } = template ?? {};
  const annotations = metadata?.annotations ?? {};
  return [
    ...allWarnings(annotations, spec, `${path}.`),
    ...appArmorWarnings(annotations, spec, `${path}.metadata.annotations`, false),
  ];
}

/** Warnings of a workload's template where it is new or its spec has changed; `path` is where the template is. */
export function templateWarnings(
  object: KubeObject,
  old: KubeObject | undefined,
  template: PodTemplateSpec | undefined,
  path = 'spec.template',
): string[] {
  const isSame = old !== undefined && object.metadata.generation === old.metadata.generation;
  return isSame ? [] : podTemplateWarnings(template, path);
}

/** {@link templateWarnings} of kinds after which pods are named, with that of the name. */
export function workloadWarnings(
  object: KubeObject,
  old: KubeObject | undefined,
  template: PodTemplateSpec | undefined,
  path?: string,
): string[] {
  const name = old === undefined ? nameWarnings(object.metadata.name, 'Pod names and hostnames') : [];
  return [...name, ...templateWarnings(object, old, template, path)];
}

function allWarnings(annotations: Annotations, spec: PodSpec, prefix: string): string[] {
  const path = `${prefix}spec`;
  const grace = `${path}.terminationGracePeriodSeconds`;
  return [
    ...selectionWarnings(spec, path),
    ...annotationWarnings(annotations, spec, `${prefix}metadata.annotations`),
    ...(spec.volumes ?? []).flatMap((volume, index) => deprecatedVolumeWarnings(volume, `${path}.volumes[${index}]`)),
    ...(spec.volumes ?? []).flatMap(overlapWarnings),
    ...listWarnings(spec, path),
    ...byteWarnings(spec.overhead, `${path}.overhead`),
    ...allContainers(spec, path).flatMap(({ container, path: at }) => containerWarnings(container, at)),
    ...portWarnings(spec, path),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [`${grace}: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...(spec.dnsConfig?.nameservers ?? []).flatMap((ip, i) => ipWarnings(ip, `${path}.dnsConfig.nameservers[${i}]`)),
    ...(spec.hostAliases ?? []).flatMap(({ ip = '' }, i) => ipWarnings(ip, `${path}.hostAliases[${i}].ip`)),
  ];
}

/** Nodes and other pods are chosen by labels in many places. */
function selectionWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = [];
  for (const key in spec.nodeSelector) {
    const advice = deprecatedNodeLabel(key);
    if (advice !== undefined) warnings.push(`${path}.nodeSelector[${key}]: ${advice}`);
  }
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity ?? {};
  const at = `${path}.affinity`;
  const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
  const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';
  nodeAffinity?.[REQUIRED]?.nodeSelectorTerms?.forEach((term, index) => {
    warnings.push(...nodeSelectorTermWarnings(term, `${at}.nodeAffinity.${REQUIRED}.nodeSelectorTerms[${index}]`));
  });
  nodeAffinity?.[PREFERRED]?.forEach(({ preference }, index) => {
    warnings.push(
      ...nodeSelectorTermWarnings(preference, `${at}.nodeAffinity.${PREFERRED}[${index}].preference`, true),
    );
  });
  spec.topologySpreadConstraints?.forEach(({ topologyKey = '', labelSelector }, index) => {
    const where = `${path}.topologySpreadConstraints[${index}]`;
    const advice = deprecatedNodeLabel(topologyKey);
    if (advice !== undefined) warnings.push(`${where}.topologyKey: ${topologyKey} is ${advice}`);
    if (labelSelector === undefined) warnings.push(selectsNone(where));
  });
  for (const [kind, affinity] of Object.entries({ podAffinity, podAntiAffinity })) {
    affinity?.[REQUIRED]?.forEach(({ labelSelector }, index) => {
      if (labelSelector === undefined) warnings.push(selectsNone(`${at}.${kind}.${REQUIRED}[${index}]`));
    });
    affinity?.[PREFERRED]?.forEach(({ podAffinityTerm }, index) => {
      const where = `${at}.${kind}.${PREFERRED}[${index}].podAffinityTerm`;
      if (podAffinityTerm?.labelSelector === undefined) warnings.push(selectsNone(where));
    });
  }
  return warnings;
}

const selectsNone = (path: string): string => `${path}.labelSelector: a null labelSelector results in matching no pod`;

function annotationWarnings(annotations: Annotations, spec: PodSpec, path: string): string[] {
  const warnings = Object.keys(annotations)
    .filter((key) => Object.hasOwn(OLD_ANNOTATIONS, key))
    .map((key) => `${path}[${key}]: ${OLD_ANNOTATIONS[key]}`);
  if (annotations[POD_SECCOMP] !== undefined && spec.securityContext?.seccompProfile === undefined) {
    warnings.push(`${path}[${POD_SECCOMP}]: ${NO_SECCOMP}`);
  }
  for (const { container } of allContainers(spec, '')) {
    const key = CONTAINER_SECCOMP + (container.name ?? '');
    if (annotations[key] === undefined || container.securityContext?.seccompProfile !== undefined) continue;
    warnings.push(`${path}[${key}]: ${NO_SECCOMP}`);
  }
  return warnings;
}

function listWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = [];
  const ips = new Set<string>();
  spec.hostAliases?.forEach(({ ip = '' }, index) => {
    if (ips.has(ip)) warnings.push(`${path}.hostAliases[${index}].ip: duplicate ip ${JSON.stringify(ip)}`);
    ips.add(ip);
  });
  const pulls = new Set<string>();
  spec.imagePullSecrets?.forEach(({ name = '' }, index) => {
    const at = `${path}.imagePullSecrets[${index}].name`;
    if (pulls.has(name)) warnings.push(`${at}: duplicate name ${JSON.stringify(name)}`);
    if (name === '') warnings.push(`${at}: invalid empty name ""`);
    pulls.add(name);
  });
  return warnings;
}

/** Memory and local storage come in whole bytes. */
const byteWarnings = (amounts: Record<string, string> | undefined, path: string): string[] =>
  ['memory', 'ephemeral-storage'].flatMap((name) => fractionalBytes(amounts?.[name], `${path}[${name}]`));

function containerWarnings({ resources, env }: Container, path: string): string[] {
  const warnings = [
    ...byteWarnings(resources?.limits, `${path}.resources.limits`),
    ...byteWarnings(resources?.requests, `${path}.resources.requests`),
  ];
  const names = new Set<string>();
  env?.forEach(({ name = '', value = '', valueFrom }, index) => {
    const reference = `$(${name})`;
    const hides = valueFrom !== undefined || value === reference || !value.includes(reference);
    if (names.has(name) && hides) {
      const what = `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`;
      warnings.push(`${path}.env[${index}]: ${what}`);
    }
    names.add(name);
  });
  return warnings;
}
