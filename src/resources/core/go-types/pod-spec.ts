/** The internal type of a pod's spec. */
import type { PodSpec } from '../../../generated/types/core.v1.ts';
import {
  all,
  listOf,
  nullable,
  type Printed,
  pointerTo,
  quantities,
  struct,
  text,
  textMap,
} from '../../validation/go-struct.ts';
import { container, ephemeralContainer, resources } from './containers.ts';
import { affinity, toleration, topologySpreadConstraint } from './scheduling.ts';
import { podSecurityContext } from './security.ts';
import { localObjectReference } from './shared.ts';
import { volume } from './volumes.ts';

const dnsConfig = struct({
  ...all(nullable, 'Nameservers', 'Searches'),
  Options: listOf(struct({ Name: text, Value: nullable })),
});

const resourceClaim = struct({ Name: text, ...all(nullable, 'ResourceClaimName', 'ResourceClaimTemplateName') });

const internal = struct({
  Volumes: listOf(volume),
  ...all(listOf(container), 'InitContainers', 'Containers'),
  EphemeralContainers: listOf(ephemeralContainer),
  RestartPolicy: text,
  ...all(nullable, 'TerminationGracePeriodSeconds', 'ActiveDeadlineSeconds'),
  DNSPolicy: text,
  NodeSelector: textMap,
  ServiceAccountName: text,
  AutomountServiceAccountToken: nullable,
  NodeName: text,
  SecurityContext: pointerTo(podSecurityContext),
  ImagePullSecrets: listOf(localObjectReference),
  ...all(text, 'Hostname', 'Subdomain'),
  SetHostnameAsFQDN: nullable,
  Affinity: affinity,
  SchedulerName: text,
  Tolerations: listOf(toleration),
  HostAliases: listOf(struct({ IP: text, Hostnames: nullable })),
  PriorityClassName: text,
  ...all(nullable, 'Priority', 'PreemptionPolicy'),
  DNSConfig: pointerTo(dnsConfig),
  ReadinessGates: listOf(struct({ ConditionType: text })),
  RuntimeClassName: nullable,
  Overhead: quantities,
  EnableServiceLinks: nullable,
  TopologySpreadConstraints: listOf(topologySpreadConstraint),
  OS: pointerTo(struct({ Name: text })),
  SchedulingGates: listOf(struct({ Name: text })),
  ResourceClaims: listOf(resourceClaim),
  Resources: pointerTo(resources),
  HostnameOverride: nullable,
  SchedulingGroup: pointerTo(struct({ PodGroupName: nullable })),
});

/** `PodSpec`. Internally the host's namespaces are part of its security context. */
export const podSpec: Printed = (value) => {
  const spec = (value ?? {}) as PodSpec;
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers, securityContext } = spec;
  const shared = { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers };
  return internal({ ...spec, securityContext: { ...securityContext, ...shared } });
};
