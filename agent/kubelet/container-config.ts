/** Sandbox and container configurations for the runtime. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container, Pod } from '../../src/generated/types/core.v1.ts';
import type { ContainerConfig, Image, Mount, PodSandboxConfig } from '../runtime/cri-types.ts';
import type { ClusterInfo } from '../types.ts';
import { containerHash } from './actions.ts';
import { type EnvironmentSources, environment } from './env.ts';
import { expand } from './expansion.ts';
import { dnsConfig, hostsFile, parseResolvConf, podHostname } from './hosts-file.ts';
import { imageVolumeFailed, WaitingError } from './images.ts';
import { allContainers } from './pod.ts';
import { ANNOTATIONS, LABELS } from './pod-runtime.ts';
import { containerResources } from './resources.ts';
import { containerSecurity, sandboxSecurity } from './security.ts';
import { resolveImageSubPath } from './volumes/image.ts';
import type { HostPaths } from './volumes/manager.ts';
import { resolveSubPath } from './volumes/sub-path.ts';

export interface PodFolders {
  /** `<data>/pods/<uid>` */
  pod: string;
  /** `<data>/pods-logs/<namespace>_<name>_<uid>` */
  logs: string;
  /** Where localhost seccomp profiles are. */
  seccomp: string;
}

const RESOLV_CONF = '/etc/resolv.conf';

const podLabels = (pod: Pod): Record<string, string> => ({
  [LABELS.podName]: pod.metadata.name,
  [LABELS.podNamespace]: pod.metadata.namespace ?? '',
  [LABELS.podUid]: pod.metadata.uid ?? '',
});

/** The sandbox of the pod's `attempt`-th life on this node. */
export async function sandboxConfig(
  pod: Pod,
  attempt: number,
  cgroupParent: string,
  folders: PodFolders,
  cluster: ClusterInfo,
): Promise<PodSandboxConfig> {
  const { hostname, fqdn } = podHostname(pod, cluster.domain);
  const host = parseResolvConf(await readFile(RESOLV_CONF, 'utf8').catch(() => ''));
  const ports = allContainers(pod).flatMap((container) => container.ports ?? []);
  return {
    metadata: {
      name: pod.metadata.name,
      namespace: pod.metadata.namespace ?? '',
      uid: pod.metadata.uid ?? '',
      attempt,
    },
    hostname:
      pod.spec?.hostNetwork === true ? '' : pod.spec?.setHostnameAsFQDN === true && fqdn !== '' ? fqdn : hostname,
    logDirectory: folders.logs,
    dnsConfig: dnsConfig(pod, cluster, host),
    portMappings: ports
      .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0 && pod.spec?.hostNetwork !== true)
      .map(({ protocol = 'TCP', containerPort = 0, hostPort = 0, hostIP = '' }) => ({
        protocol,
        containerPort,
        hostPort,
        hostIp: hostIP,
      })),
    labels: { ...pod.metadata.labels, ...podLabels(pod) },
    annotations: { ...pod.metadata.annotations },
    linux: {
      cgroupParent,
      securityContext: sandboxSecurity(pod, folders.seccomp),
      sysctls: Object.fromEntries(
        (pod.spec?.securityContext?.sysctls ?? []).map(({ name = '', value = '' }) => [name, value]),
      ),
    },
  };
}

export interface ContainerInput {
  pod: Pod;
  container: Container;
  /** 0 for the first start. */
  restartCount: number;
  image: Image;
  volumes: HostPaths;
  /** Those of images, which nobody writes to. */
  imageVolumes: HostPaths;
  podIps: readonly string[];
  /** The container whose processes this one sees. */
  targetId: string | undefined;
  folders: PodFolders;
  cluster: ClusterInfo;
  memoryCapacity: number;
  sources: EnvironmentSources;
}

/** The container's configuration; makes the files that it needs. Throws a {@link WaitingError} CreateContainerConfigError. */
export async function containerConfig(input: ContainerInput): Promise<ContainerConfig> {
  const { pod, container, restartCount, image, folders } = input;
  const name = container.name ?? '';
  try {
    const security = containerSecurity(pod, container, image, folders.seccomp, input.targetId);
    const envs = await environment(pod, container, input.sources);
    const known = new Map(envs);
    const mounts = [...(await volumeMounts(input, known)), ...(await ownMounts(input))];
    await mkdir(join(folders.logs, name), { recursive: true, mode: 0o755 });
    return {
      metadata: { name, attempt: restartCount },
      image: { image: image.id },
      command: (container.command ?? []).map((word) => expand(word, known)),
      args: (container.args ?? []).map((word) => expand(word, known)),
      workingDir: container.workingDir ?? '',
      envs: [...envs].map(([key, value]) => ({ key, value })),
      mounts,
      devices: [],
      labels: { ...podLabels(pod), [LABELS.container]: name },
      annotations: {
        [ANNOTATIONS.hash]: containerHash(container),
        [ANNOTATIONS.restartCount]: String(restartCount),
        [ANNOTATIONS.messagePath]: container.terminationMessagePath ?? '/dev/termination-log',
        [ANNOTATIONS.messagePolicy]: container.terminationMessagePolicy ?? 'File',
        [ANNOTATIONS.gracePeriod]: String(pod.spec?.terminationGracePeriodSeconds ?? 30),
      },
      logPath: `${name}/${restartCount}.log`,
      stdin: container.stdin === true,
      stdinOnce: container.stdinOnce === true,
      tty: container.tty === true,
      linux: { resources: containerResources(pod, container, input.memoryCapacity), securityContext: security },
    };
  } catch (error) {
    if (error instanceof WaitingError) throw error;
    throw new WaitingError('CreateContainerConfigError', error instanceof Error ? error.message : String(error));
  }
}

const PROPAGATION = {
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
} as const;

async function volumeMounts(input: ContainerInput, env: ReadonlyMap<string, string>): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const mount of input.container.volumeMounts ?? []) {
    const image = input.imageVolumes.get(mount.name ?? '');
    const volume = image ?? input.volumes.get(mount.name ?? '');
    if (volume === undefined)
      throw new Error(`cannot find volume "${mount.name}" to mount into container "${input.container.name}"`);
    const subPath = mount.subPathExpr ? expand(mount.subPathExpr, env) : (mount.subPath ?? '');
    const resolve = image === undefined ? resolveSubPath : imageSubPath;
    const hostPath = subPath === '' ? volume : await resolve(volume, subPath);
    const path = mount.mountPath ?? '';
    const mode = mount.mountPropagation;
    mounts.push({
      containerPath: path.startsWith('/') ? path : `/${path}`,
      hostPath,
      readonly: mount.readOnly === true || image !== undefined,
      propagation: mode === 'HostToContainer' || mode === 'Bidirectional' ? PROPAGATION[mode] : 'PROPAGATION_PRIVATE',
    });
  }
  return mounts;
}

/** The folder at `subPath` in an image. With upstream the runtime looks for it, and where it is not the container cannot be created. */
const imageSubPath = (volume: string, subPath: string): Promise<string> =>
  resolveImageSubPath(volume, subPath).catch((error: unknown) => {
    throw imageVolumeFailed(error);
  });

/** `/etc/hosts` (unless the pod mounts its own) and the file for the termination message. */
async function ownMounts({ pod, container, podIps, folders, cluster }: ContainerInput): Promise<Mount[]> {
  const mounts: Mount[] = [];
  if (!container.volumeMounts?.some(({ mountPath }) => mountPath === '/etc/hosts')) {
    const hosts = join(folders.pod, 'etc-hosts');
    await writeFile(hosts, hostsFile(pod, podIps, cluster.domain), { mode: 0o644 });
    await chmod(hosts, 0o644);
    mounts.push({ containerPath: '/etc/hosts', hostPath: hosts, readonly: false });
  }
  const folder = join(folders.pod, 'containers', container.name ?? '');
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const file = join(folder, randomBytes(4).toString('hex'));
  await writeFile(file, '', { mode: 0o666 });
  await chmod(file, 0o666);
  const containerPath = container.terminationMessagePath ?? '/dev/termination-log';
  mounts.push({ containerPath, hostPath: file, readonly: false });
  return mounts;
}
