/** A pod's spec as upstream prints it when it may not change: its internal form, which keeps the host's namespaces elsewhere. */
import type { PodSpec } from '../../generated/types/core.v1.ts';
import { flag, listOf, nullable, number, pointerTo, struct, text } from '../validation/go-struct.ts';

/** Fields of one kind of value, in alphabetical order of no importance: {@link struct} needs only names and printers. */
const all = (print: typeof text, ...names: string[]): Record<string, typeof text> =>
  Object.fromEntries(names.map((name) => [name, print]));

const container = struct({
  ...all(text, 'Name', 'Image'),
  ...all(nullable, 'Command', 'Args'),
  WorkingDir: text,
  Ports: listOf(struct({ Name: text, HostPort: number, ContainerPort: number, Protocol: text, HostIP: text })),
  ...all(nullable, 'EnvFrom'),
  Env: listOf(struct({ Name: text, Value: text, ValueFrom: nullable })),
  Resources: struct(all(nullable, 'Limits', 'Requests', 'Claims')),
  ...all(nullable, 'ResizePolicy', 'RestartPolicy', 'RestartPolicyRules'),
  VolumeMounts: listOf(
    struct({
      Name: text,
      ReadOnly: flag,
      RecursiveReadOnly: nullable,
      MountPath: text,
      SubPath: text,
      MountPropagation: nullable,
      SubPathExpr: text,
    }),
  ),
  ...all(nullable, 'VolumeDevices', 'LivenessProbe', 'ReadinessProbe', 'StartupProbe', 'Lifecycle'),
  ...all(text, 'TerminationMessagePath', 'TerminationMessagePolicy', 'ImagePullPolicy'),
  SecurityContext: nullable,
  ...all(flag, 'Stdin', 'StdinOnce'),
  TTY: flag,
});

const securityContext = struct({
  ...all(flag, 'HostNetwork', 'HostPID', 'HostIPC'),
  ...all(nullable, 'ShareProcessNamespace', 'HostUsers'),
  SELinuxOptions: nullable,
  ...all(nullable, 'WindowsOptions', 'RunAsUser', 'RunAsGroup', 'RunAsNonRoot', 'SupplementalGroups'),
  ...all(nullable, 'SupplementalGroupsPolicy'),
  FSGroup: nullable,
  FSGroupChangePolicy: nullable,
  ...all(nullable, 'Sysctls', 'SeccompProfile', 'AppArmorProfile'),
  SELinuxChangePolicy: nullable,
});

const podSpec = struct({
  Volumes: nullable,
  InitContainers: listOf(container),
  Containers: listOf(container),
  EphemeralContainers: nullable,
  RestartPolicy: text,
  ...all(nullable, 'TerminationGracePeriodSeconds', 'ActiveDeadlineSeconds'),
  DNSPolicy: text,
  NodeSelector: nullable,
  ServiceAccountName: text,
  AutomountServiceAccountToken: nullable,
  NodeName: text,
  SecurityContext: pointerTo(securityContext),
  ImagePullSecrets: nullable,
  ...all(text, 'Hostname', 'Subdomain'),
  SetHostnameAsFQDN: nullable,
  Affinity: nullable,
  SchedulerName: text,
  Tolerations: listOf(struct({ ...all(text, 'Key', 'Operator', 'Value', 'Effect'), TolerationSeconds: nullable })),
  HostAliases: nullable,
  PriorityClassName: text,
  ...all(nullable, 'Priority', 'PreemptionPolicy'),
  DNSConfig: nullable,
  ...all(nullable, 'ReadinessGates', 'RuntimeClassName', 'Overhead', 'EnableServiceLinks'),
  ...all(nullable, 'TopologySpreadConstraints'),
  OS: nullable,
  ...all(nullable, 'SchedulingGates', 'ResourceClaims', 'Resources', 'HostnameOverride', 'SchedulingGroup'),
});

/** Prints a pod's spec. */
export function shownPodSpec(spec: PodSpec | undefined): unknown {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers, securityContext: own } = spec ?? {};
  const shared = { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers };
  const isSet = own !== undefined || Object.values(shared).some((value) => value !== undefined);
  return podSpec(isSet ? { ...spec, securityContext: { ...own, ...shared } } : spec);
}
