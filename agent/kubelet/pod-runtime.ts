/** What the runtime has of a pod: its sandboxes and containers, of all attempts. */
import type { CriClient } from '../runtime/cri.ts';
import { isMissing } from '../runtime/cri.ts';
import type { ContainerStatus, PodSandboxStatus } from '../runtime/cri-types.ts';

export const LABELS = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
} as const;

export const ANNOTATIONS = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  messagePath: 'io.kubernetes.container.terminationMessagePath',
  messagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  gracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
} as const;

/** A container with the sandbox it belongs to. */
export interface RuntimeContainer extends ContainerStatus {
  podSandboxId: string;
}

export interface PodRuntime {
  /** Newest first. */
  sandboxes: PodSandboxStatus[];
  /** By container name, newest first. */
  containers: Map<string, RuntimeContainer[]>;
}

export const NOTHING: PodRuntime = { sandboxes: [], containers: new Map() };

/** How often the container was started again, from its annotation: it survives restarts of the agent. */
export function restartCount(container: RuntimeContainer): number {
  const text = container.annotations[ANNOTATIONS.restartCount];
  return text === undefined ? container.metadata.attempt : Number(text) || 0;
}

const newestFirst = (a: { createdAt: string }, b: { createdAt: string }): number =>
  Number(BigInt(b.createdAt) - BigInt(a.createdAt));

/** Asks the runtime for all that it has of the pod; what vanishes meanwhile is left out. */
export async function readPodRuntime(cri: CriClient, uid: string): Promise<PodRuntime> {
  const labels = { [LABELS.podUid]: uid };
  const [sandboxes, containers] = await Promise.all([cri.listPodSandboxes(labels), cri.listContainers(labels)]);
  const orNothing = async <T>(promise: Promise<T>): Promise<T[]> => {
    try {
      return [await promise];
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  };
  const statuses = await Promise.all(
    containers.map(({ id, podSandboxId }) =>
      orNothing(cri.containerStatus(id).then((status): RuntimeContainer => ({ ...status, podSandboxId }))),
    ),
  );
  const result: PodRuntime = { sandboxes: [], containers: new Map() };
  result.sandboxes = (await Promise.all(sandboxes.map(({ id }) => orNothing(cri.podSandboxStatus(id)))))
    .flat()
    .sort(newestFirst);
  for (const status of statuses.flat().sort(newestFirst)) {
    const name = status.labels[LABELS.container] ?? status.metadata.name;
    result.containers.set(name, [...(result.containers.get(name) ?? []), status]);
  }
  return result;
}

/** The newest sandbox when it is ready. */
export function readySandbox(runtime: PodRuntime): PodSandboxStatus | undefined {
  const newest = runtime.sandboxes[0];
  return newest?.state === 'SANDBOX_READY' ? newest : undefined;
}

/** The sandbox's addresses, the first one first. */
export function sandboxIps(sandbox: PodSandboxStatus | undefined): string[] {
  const network = sandbox?.network;
  return [network?.ip ?? '', ...(network?.additionalIps ?? []).map(({ ip }) => ip)].filter((ip) => ip !== '');
}

/** All containers that run now. */
export function runningContainers(runtime: PodRuntime): RuntimeContainer[] {
  return [...runtime.containers.values()].flat().filter(({ state }) => state === 'CONTAINER_RUNNING');
}
