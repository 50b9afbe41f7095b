/** Security contexts of pods and containers. */
import { forbiddenField, invalid, required as requiredError, tooLong } from '../../../apimachinery/field.ts';
import type {
  Capabilities,
  PodSecurityContext,
  SeccompProfile,
  SecurityContext,
  Sysctl,
} from '../../../generated/types/core.v1.ts';
import { localDescendingPath } from '../../validation/formats.ts';
import { nullable, struct, text } from '../../validation/go-struct.ts';
import { all, each, fields, oneOf, present, type Rule, range, unique } from '../../validation/rules.ts';
import { securityContext as shownContext } from '../go-types/containers.ts';

const id = present<number>(range(0, 2147483647));

const shownProfile = struct({ Type: text, LocalhostProfile: nullable });

/** The shape that seccomp and AppArmor profiles share. */
function profile(name: string, isPath: boolean, kind: string): Rule<SeccompProfile | undefined> {
  const types = ['Localhost', 'RuntimeDefault', 'Unconfined'];
  return present((value: SeccompProfile, path, errors) => {
    const at = `${path}.localhostProfile`;
    const { type = '', localhostProfile } = value;
    if (type === '') errors.push(requiredError(`${path}.type`, `type is required when ${name} is set`));
    else oneOf(...types)(type, `${path}.type`, errors);
    if (type === 'Localhost') {
      if (localhostProfile === undefined) errors.push(requiredError(at, `must be set when ${kind} type is Localhost`));
      else if (isPath) localDescendingPath(localhostProfile, at, errors);
      else appArmorName(localhostProfile, at, errors);
    } else if (localhostProfile !== undefined) {
      // The one shows the whole profile, the other what should not be there.
      const shown = isPath ? shownProfile(value) : localhostProfile;
      errors.push(invalid(at, shown, `can only be set when ${kind} type is Localhost`));
    }
  });
}

const appArmorName: Rule<string> = (name, path, errors) => {
  if (name.trim() !== name) errors.push(invalid(path, name, 'must not be padded with whitespace'));
  else if (name === '') errors.push(requiredError(path, 'must be set when AppArmor type is Localhost'));
  if (name.length > 4095) errors.push(tooLong(path, 4095));
};

const seccompProfile = profile('seccompProfile', true, 'seccomp');
const appArmorProfile = profile('appArmorProfile', false, 'AppArmor');

const containerFields = fields<SecurityContext>({
  runAsUser: id,
  runAsGroup: id,
  procMount: present(oneOf('Default', 'Unmasked')),
  seccompProfile,
  appArmorProfile,
});

const addsSysAdmin = (capabilities: Capabilities | undefined): boolean =>
  capabilities?.add?.includes('CAP_SYS_ADMIN') === true;

/** `securityContext` of a container (`ValidateSecurityContext`). */
export const securityContext: Rule<SecurityContext | undefined> = present((context: SecurityContext, path, errors) => {
  containerFields(context, path, errors);
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged === true) {
    const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true';
    errors.push(invalid(path, shownContext(context), detail));
  }
  if (addsSysAdmin(context.capabilities)) {
    const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
    errors.push(invalid(path, shownContext(context), detail));
  }
});

const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const SYSCTL_TEXT =
  'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';

const sysctl: Rule<Sysctl> = ({ name = '' }, path, errors) => {
  if (name === '') errors.push(requiredError(`${path}.name`));
  else if (name.length > 253 || !SYSCTL.test(name)) errors.push(invalid(`${path}.name`, name, SYSCTL_TEXT));
};

/** `securityContext` of a pod (`validatePodSpecSecurityContext`). */
export const podSecurityContext: Rule<PodSecurityContext | undefined> = present(
  fields<PodSecurityContext>({
    fsGroup: id,
    runAsUser: id,
    runAsGroup: id,
    supplementalGroups: each(range(0, 2147483647)),
    supplementalGroupsPolicy: present(oneOf('Merge', 'Strict')),
    fsGroupChangePolicy: present(oneOf('Always', 'OnRootMismatch')),
    sysctls: all<readonly Sysctl[] | undefined>(
      each(sysctl),
      unique<Sysctl>((s) => s.name, 'name'),
    ),
    seccompProfile,
    appArmorProfile,
  }),
);

/** Fields that the host's namespaces exclude, as errors of the pod's spec. */
export const hostNamespaces: Rule<{
  hostPID?: boolean;
  shareProcessNamespace?: boolean;
  hostUsers?: boolean;
  hostNetwork?: boolean;
  hostIPC?: boolean;
}> = (spec, path, errors) => {
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(invalid(`${path}.shareProcessNamespace`, true, detail));
  }
  if (spec.hostUsers !== false) return;
  // Two of them upstream calls as its own structure does.
  const shown = { hostNetwork: 'hostNetwork', hostPID: 'HostPID', hostIPC: 'HostIPC' } as const;
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
    if (spec[field] === true) errors.push(forbiddenField(`${path}.${shown[field]}`, 'when `hostUsers` is false'));
  }
};
