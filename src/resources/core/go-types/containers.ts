/** Internal types of containers. */
import {
  all,
  type Fields,
  flag,
  listOf,
  nullable,
  number,
  type Printed,
  pointerTo,
  struct,
  text,
} from '../../validation/go-struct.ts';
import { seccompProfile, seLinuxOptions, windowsOptions } from './security.ts';
import { reference, volumeResources } from './shared.ts';
import { downward } from './volumes.ts';

/** An `intstr.IntOrString`. */
const port = number;

const httpHeaders = listOf(struct(all(text, 'Name', 'Value')));
const actions: Fields = {
  Exec: pointerTo(struct({ Command: nullable })),
  HTTPGet: pointerTo(struct({ Path: text, Port: port, ...all(text, 'Host', 'Scheme'), HTTPHeaders: httpHeaders })),
  TCPSocket: pointerTo(struct({ Port: port, Host: text })),
};

const probe = pointerTo(
  struct({
    ...actions,
    GRPC: pointerTo(struct({ Port: number, Service: nullable })),
    ...all(number, 'InitialDelaySeconds', 'TimeoutSeconds', 'PeriodSeconds', 'SuccessThreshold', 'FailureThreshold'),
    TerminationGracePeriodSeconds: nullable,
  }),
);

const handler = pointerTo(struct({ ...actions, Sleep: pointerTo(struct({ Seconds: number })) }));

const key = pointerTo(struct({ ...reference, Key: text, Optional: nullable }));
const envSource = pointerTo(struct({ ...reference, Optional: nullable }));

const env = struct({
  ...all(text, 'Name', 'Value'),
  ValueFrom: pointerTo(
    struct({
      ...downward,
      ...all(key, 'ConfigMapKeyRef', 'SecretKeyRef'),
      FileKeyRef: pointerTo(struct({ ...all(text, 'VolumeName', 'Path', 'Key'), Optional: nullable })),
    }),
  ),
});

const volumeMount = struct({
  Name: text,
  ReadOnly: flag,
  RecursiveReadOnly: nullable,
  ...all(text, 'MountPath', 'SubPath'),
  MountPropagation: nullable,
  SubPathExpr: text,
});

/** `SecurityContext`. */
export const securityContext = struct({
  Capabilities: pointerTo(struct(all(nullable, 'Add', 'Drop'))),
  Privileged: nullable,
  SELinuxOptions: seLinuxOptions,
  WindowsOptions: windowsOptions,
  ...all(nullable, 'RunAsUser', 'RunAsGroup', 'RunAsNonRoot', 'ReadOnlyRootFilesystem', 'AllowPrivilegeEscalation'),
  ProcMount: nullable,
  SeccompProfile: seccompProfile,
  AppArmorProfile: seccompProfile,
});

/** `ResourceRequirements`. */
export const resources: Printed = struct({ ...volumeResources, Claims: listOf(struct(all(text, 'Name', 'Request'))) });

const containerFields: Fields = {
  ...all(text, 'Name', 'Image'),
  ...all(nullable, 'Command', 'Args'),
  WorkingDir: text,
  Ports: listOf(
    struct({ Name: text, ...all(number, 'HostPort', 'ContainerPort'), ...all(text, 'Protocol', 'HostIP') }),
  ),
  EnvFrom: listOf(struct({ Prefix: text, ConfigMapRef: envSource, SecretRef: envSource })),
  Env: listOf(env),
  Resources: resources,
  ResizePolicy: listOf(struct(all(text, 'ResourceName', 'RestartPolicy'))),
  RestartPolicy: nullable,
  RestartPolicyRules: listOf(
    struct({ Action: text, ExitCodes: pointerTo(struct({ Operator: text, Values: nullable })) }),
  ),
  VolumeMounts: listOf(volumeMount),
  VolumeDevices: listOf(struct(all(text, 'Name', 'DevicePath'))),
  ...all(probe, 'LivenessProbe', 'ReadinessProbe', 'StartupProbe'),
  Lifecycle: pointerTo(struct({ ...all(handler, 'PostStart', 'PreStop'), StopSignal: nullable })),
  ...all(text, 'TerminationMessagePath', 'TerminationMessagePolicy', 'ImagePullPolicy'),
  SecurityContext: pointerTo(securityContext),
  ...all(flag, 'Stdin', 'StdinOnce', 'TTY'),
};

/** `Container`. */
export const container = struct(containerFields);

/** `EphemeralContainer`, what it has in common with other containers embedded. */
export const ephemeralContainer = struct({ ...containerFields, TargetContainerName: text });
