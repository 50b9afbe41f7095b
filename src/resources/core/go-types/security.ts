/** Internal types of security settings. */
import { all, type Fields, flag, listOf, nullable, pointerTo, struct, text } from '../../validation/go-struct.ts';

export const seLinuxOptions = pointerTo(struct(all(text, 'User', 'Role', 'Type', 'Level')));

export const windowsOptions = pointerTo(
  struct(all(nullable, 'GMSACredentialSpecName', 'GMSACredentialSpec', 'RunAsUserName', 'HostProcess')),
);

/** `SeccompProfile`; `AppArmorProfile` is written alike. */
export const seccompProfile = pointerTo(struct({ Type: text, LocalhostProfile: nullable }));

/** Namespaces of the host: v1 has these in the pod's spec. */
const shared: Fields = {
  ...all(flag, 'HostNetwork', 'HostPID', 'HostIPC'),
  ...all(nullable, 'ShareProcessNamespace', 'HostUsers'),
};

/** `PodSecurityContext`. */
export const podSecurityContext = struct({
  ...shared,
  SELinuxOptions: seLinuxOptions,
  WindowsOptions: windowsOptions,
  ...all(nullable, 'RunAsUser', 'RunAsGroup', 'RunAsNonRoot', 'SupplementalGroups', 'SupplementalGroupsPolicy'),
  ...all(nullable, 'FSGroup', 'FSGroupChangePolicy'),
  Sysctls: listOf(struct(all(text, 'Name', 'Value'))),
  SeccompProfile: seccompProfile,
  AppArmorProfile: seccompProfile,
  SELinuxChangePolicy: nullable,
});
