/** Starting and stopping one container, with hooks, back-off and events. */
import type { Container, EphemeralContainer, Pod } from '../../src/generated/types/core.v1.ts';
import { isMissing } from '../runtime/cri.ts';
import type { PodSandboxConfig, PodSandboxStatus } from '../runtime/cri-types.ts';
import { goDuration } from './backoff.ts';
import { containerConfig, type PodFolders } from './container-config.ts';
import type { KubeletDeps } from './deps.ts';
import type { ImageVolumes } from './image-volumes.ts';
import { rpcText, WaitingError } from './images.ts';
import { runHook } from './lifecycle.ts';
import { fieldPathOf, keptStatus, podFullName } from './pod.ts';
import { type PodRuntime, type RuntimeContainer, restartCount, sandboxIps } from './pod-runtime.ts';
import type { HostPaths } from './volumes/manager.ts';

export interface StartInput {
  pod: Pod;
  container: Container;
  runtime: PodRuntime;
  sandbox: PodSandboxStatus;
  sandboxConfig: PodSandboxConfig;
  volumes: HostPaths;
  imageVolumes: ImageVolumes;
  folders: PodFolders;
  signal: AbortSignal;
}

/** Containers get at least this long to stop, even after a preStop hook that took all of the grace period. */
const MIN_GRACE_SECONDS = 2;
const RECHECK_MS = 12_500;

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Starts the container's next attempt. Throws a {@link WaitingError} when it cannot run (yet). */
export async function startContainer(deps: KubeletDeps, input: StartInput): Promise<void> {
  const { pod, container, runtime } = input;
  const name = container.name ?? '';
  const uid = pod.metadata.uid ?? '';
  const latest = runtime.containers.get(name)?.[0];
  checkBackoff(deps, pod, name, latest);
  const path = fieldPathOf(pod, name);
  const failed = (error: unknown): never => {
    const waiting = error instanceof WaitingError ? error : new WaitingError('CreateContainerError', rpcText(error));
    const quoted = /^(?:CreateContainer|RunContainer)/.test(waiting.reason) ? waiting.message : waiting.reason;
    deps.events.record(pod, 'Warning', 'Failed', `Error: ${quoted}`, path);
    throw waiting;
  };
  try {
    const config = deps.config.for(uid);
    const imageVolumes = await input.imageVolumes.of(container);
    const wanted = { reference: container.image ?? '', pullPolicy: container.imagePullPolicy, fieldPath: path };
    const image = await deps.images.ensure(pod, wanted, config, input.signal);
    const kept = keptStatus(pod, name);
    const attempt =
      latest === undefined ? (kept?.containerID ? (kept.restartCount ?? 0) + 1 : 0) : restartCount(latest) + 1;
    const ips = pod.spec?.hostNetwork === true ? [deps.node.ip] : sandboxIps(input.sandbox);
    const configuration = await containerConfig({
      pod: { ...pod, status: { ...pod.status, podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) } },
      container,
      restartCount: attempt,
      image,
      volumes: input.volumes,
      imageVolumes,
      podIps: ips,
      folders: input.folders,
      targetId: targetOf(container, runtime),
      cluster: deps.cluster,
      memoryCapacity: deps.allocatable['memory'] ?? 1,
      sources: { config, services: deps.services(), node: deps.node, allocatable: deps.allocatable },
    });
    if (input.signal.aborted) return;
    const id = await deps.cri.createContainer(input.sandbox.id, configuration, input.sandboxConfig);
    deps.events.record(pod, 'Normal', 'Created', 'Container created', path);
    try {
      await deps.cri.startContainer(id);
    } catch (error) {
      throw new WaitingError('RunContainerError', text(error));
    }
    deps.events.record(pod, 'Normal', 'Started', 'Container started', path);
    await postStart(deps, pod, container, id, ips[0] ?? '');
  } catch (error) {
    failed(error);
  }
}

/** The running container whose processes an ephemeral one is to see. Throws when there is none. */
function targetOf(container: EphemeralContainer, runtime: PodRuntime): string | undefined {
  const name = container.targetContainerName;
  if (!name) return undefined;
  const target = runtime.containers.get(name)?.[0];
  if (target?.state === 'CONTAINER_RUNNING') return target.id;
  const why = target === undefined ? `unable to find target container ${name}` : `container "${name}" is not running`;
  throw new WaitingError('CreateContainerConfigError', why);
}

/** CrashLoopBackOff: throws while the container has to wait after its last end. */
function checkBackoff(deps: KubeletDeps, pod: Pod, name: string, latest: RuntimeContainer | undefined): void {
  if (latest?.state !== 'CONTAINER_EXITED') return;
  const key = `${pod.metadata.uid}/${name}`;
  const milliseconds = (nanoseconds: string): number => Number(BigInt(nanoseconds) / 1_000_000n);
  const finishedAt = milliseconds(latest.finishedAt);
  const now = Date.now();
  deps.backoff.restore(key, restartCount(latest), milliseconds(latest.createdAt));
  const wait = deps.backoff.check(key, finishedAt, now);
  if (wait === undefined) {
    deps.backoff.next(key, finishedAt, now);
    return;
  }
  const full = podFullName(pod);
  const message = `Back-off restarting failed container ${name} in pod ${full}`;
  deps.events.record(pod, 'Warning', 'BackOff', message, fieldPathOf(pod, name));
  const why = `back-off ${goDuration(wait.ms)} restarting failed container=${name} pod=${full}`;
  // Looked at again as often as upstream does, rather than at the very end of the wait.
  throw new WaitingError('CrashLoopBackOff', why, now + RECHECK_MS * (1 + Math.random() * 0.2));
}

async function postStart(deps: KubeletDeps, pod: Pod, container: Container, id: string, podIp: string): Promise<void> {
  const handler = container.lifecycle?.postStart;
  if (!handler) return;
  try {
    await runHook(handler, { cri: deps.cri, container, id, podIp, timeoutSeconds: 0 });
  } catch (error) {
    const path = fieldPathOf(pod, container.name ?? '');
    deps.events.record(pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', path);
    await killContainer(deps, pod, container, id, podIp, 'FailedPostStartHook', MIN_GRACE_SECONDS);
    throw new WaitingError('PostStartHookError', `PostStartHook failed: ${text(error)}`);
  }
}

/** Runs the preStop hook, then stops the container within what is left of the grace period. Missing containers are fine. */
export async function killContainer(
  deps: KubeletDeps,
  pod: Pod,
  container: Container,
  id: string,
  podIp: string,
  message: string,
  graceSeconds: number,
): Promise<void> {
  const path = fieldPathOf(pod, container.name ?? '');
  const said = message === '' ? `Stopping container ${container.name}` : message;
  deps.events.record(pod, 'Normal', 'Killing', said, path);
  const startedAt = Date.now();
  const handler = container.lifecycle?.preStop;
  if (handler && graceSeconds > 0) {
    const hook = runHook(handler, { cri: deps.cri, container, id, podIp, timeoutSeconds: graceSeconds });
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceSeconds * 1000);
    });
    try {
      await Promise.race([hook, timeout]);
    } catch {
      deps.events.record(pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', path);
    } finally {
      clearTimeout(timer);
    }
  }
  const used = handler ? Math.ceil((Date.now() - startedAt) / 1000) : 0;
  const left = graceSeconds <= 0 ? 0 : Math.max(MIN_GRACE_SECONDS, graceSeconds - used);
  try {
    await deps.cri.stopContainer(id, left);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
