/** Security contexts as CRI takes them. */
import type { Container, Pod, SeccompProfile } from '../../src/generated/types/core.v1.ts';
import type {
  ContainerSecurityContext,
  Image,
  NamespaceOption,
  SandboxSecurityContext,
  SecurityProfile,
} from '../runtime/cri-types.ts';
import { allContainers, podFullName } from './pod.ts';

/** Which namespaces the pod's containers share with each other or with the node. */
export function namespaceOptions(pod: Pod): NamespaceOption {
  const spec = pod.spec;
  return {
    network: spec?.hostNetwork === true ? 'NODE' : 'POD',
    pid: spec?.hostPID === true ? 'NODE' : spec?.shareProcessNamespace === true ? 'POD' : 'CONTAINER',
    ipc: spec?.hostIPC === true ? 'NODE' : 'POD',
  };
}

function seccomp(profile: SeccompProfile | undefined, seccompDir: string): SecurityProfile {
  if (profile?.type === 'RuntimeDefault') return { profileType: 'RuntimeDefault' };
  if (profile?.type === 'Localhost') {
    return { profileType: 'Localhost', localhostRef: `${seccompDir}/${profile.localhostProfile ?? ''}` };
  }
  return { profileType: 'Unconfined' };
}

const int64 = (value: number | undefined): { value: string } | undefined =>
  value === undefined ? undefined : { value: String(value) };

/** fsGroup and supplementalGroups, as strings. */
function groups(pod: Pod): string[] {
  const context = pod.spec?.securityContext;
  const ids = [...(context?.fsGroup === undefined ? [] : [context.fsGroup]), ...(context?.supplementalGroups ?? [])];
  return ids.map(String);
}

const omitUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;

/** The sandbox is privileged when any container is. */
export function sandboxSecurity(pod: Pod, seccompDir: string): SandboxSecurityContext {
  const context = pod.spec?.securityContext;
  return omitUndefined<SandboxSecurityContext>({
    namespaceOptions: namespaceOptions(pod),
    runAsUser: int64(context?.runAsUser),
    // CRI refuses a group without a user.
    runAsGroup: context?.runAsUser === undefined ? undefined : int64(context?.runAsGroup),
    supplementalGroups: groups(pod),
    privileged: allContainers(pod).some((container) => container.securityContext?.privileged === true),
    seccomp: seccomp(context?.seccompProfile ?? { type: 'RuntimeDefault' }, seccompDir),
  });
}

/** The container's own settings, over the pod's. `targetId`: another container, whose processes it is to see. Throws when runAsNonRoot cannot be kept. */
export function containerSecurity(
  pod: Pod,
  container: Container,
  image: Image | undefined,
  seccompDir: string,
  targetId?: string,
): ContainerSecurityContext {
  const own = container.securityContext;
  const shared = pod.spec?.securityContext;
  const runAsUser = own?.runAsUser ?? shared?.runAsUser;
  const privileged = own?.privileged === true;
  if ((own?.runAsNonRoot ?? shared?.runAsNonRoot) === true) verifyNonRoot(pod, container, runAsUser, image);
  const runAsGroup = own?.runAsGroup ?? shared?.runAsGroup;
  const hasUser = runAsUser !== undefined || image?.uid !== undefined;
  const shares = namespaceOptions(pod);
  // Where the pod's containers see each other anyway there is no need to choose one.
  const target = targetId !== undefined && shares.pid === 'CONTAINER' ? { pid: 'TARGET' as const, targetId } : {};
  return omitUndefined<ContainerSecurityContext>({
    namespaceOptions: { ...shares, ...target },
    runAsUser: int64(runAsUser ?? (runAsGroup === undefined ? undefined : Number(image?.uid?.value ?? 0))),
    runAsGroup: hasUser || runAsGroup !== undefined ? int64(runAsGroup) : undefined,
    supplementalGroups: groups(pod),
    privileged,
    readonlyRootfs: own?.readOnlyRootFilesystem === true,
    noNewPrivs: own?.allowPrivilegeEscalation === false,
    capabilities: {
      addCapabilities: own?.capabilities?.add ?? [],
      dropCapabilities: own?.capabilities?.drop ?? [],
    },
    seccomp: privileged
      ? { profileType: 'Unconfined' }
      : seccomp(own?.seccompProfile ?? shared?.seccompProfile, seccompDir),
  });
}

function verifyNonRoot(pod: Pod, container: Container, runAsUser: number | undefined, image: Image | undefined): void {
  const where = `(pod: "${podFullName(pod)}", container: ${container.name})`;
  if (runAsUser === 0) throw new Error(`container's runAsUser breaks non-root policy ${where}`);
  if (runAsUser !== undefined) return;
  if (image?.username) {
    throw new Error(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
    );
  }
  if (Number(image?.uid?.value ?? 0) === 0) {
    throw new Error(`container has runAsNonRoot and image will run as root ${where}`);
  }
}
