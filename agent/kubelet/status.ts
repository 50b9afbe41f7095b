/** The pod's status as the API shows it, from what the runtime has. Pure. */
import { now } from '../../src/apimachinery/meta.ts';
import type {
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
  ResourceRequirements,
} from '../../src/generated/types/core.v1.ts';
import { shouldRestart } from './actions.ts';
import { conditions } from './conditions.ts';
import { isSidecar, keptStatus } from './pod.ts';
import { type PodRuntime, type RuntimeContainer, readySandbox, restartCount, sandboxIps } from './pod-runtime.ts';
import { qosClass } from './resources.ts';

export interface StatusInput {
  /** With the status that the API has: what is no longer known is kept from it. */
  pod: Pod;
  runtime: PodRuntime;
  nodeIp: string;
  /** Why containers that do not run are waiting, by container name. */
  waiting: ReadonlyMap<string, { reason: string; message: string }>;
  /** What containers said at their end, by container id. */
  messages: ReadonlyMap<string, string>;
  ready(id: string): boolean;
  started(id: string): boolean;
  /** What a running container has, where that may not be what `pod` says. */
  resources?(name: string): ResourceRequirements | undefined;
  /** How far a resize is. */
  resize?: readonly PodCondition[];
  /** No container will be started any more. */
  terminal: boolean;
  /** The pod has failed for a reason that is not its containers'. */
  failure?: { reason: string; message: string };
}

const time = (nanoseconds: string): string => now(Number(BigInt(nanoseconds) / 1_000_000n));

/** The whole of `status` that a kubelet owns. */
export function podStatus(input: StatusInput): PodStatus {
  const { pod, runtime, failure } = input;
  const old = pod.status ?? {};
  const init = (pod.spec?.initContainers ?? []).map((container) => containerStatus(input, container, true));
  const main = (pod.spec?.containers ?? []).map((container) => containerStatus(input, container, false));
  const ephemeral = (pod.spec?.ephemeralContainers ?? []).map((container) => ephemeralStatus(input, container));
  const phase = failure !== undefined ? 'Failed' : podPhase(input, init, main);
  const sandbox = readySandbox(runtime);
  const fresh = pod.spec?.hostNetwork === true ? [input.nodeIp] : sandboxIps(sandbox);
  const hostNetworkReady = pod.spec?.hostNetwork !== true || sandbox !== undefined || old.podIP !== undefined;
  const podIPs = fresh.length > 0 && hostNetworkReady ? fresh.map((ip) => ({ ip })) : (old.podIPs ?? []);
  const generation = pod.metadata.generation;
  const status: PodStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    conditions: [
      ...conditions(pod, phase, init, main, sandbox !== undefined, now()),
      ...(phase === 'Failed' || phase === 'Succeeded' ? [] : (input.resize ?? [])),
    ],
    ...(failure ?? keptReason(old)),
    hostIP: input.nodeIp,
    hostIPs: [{ ip: input.nodeIp }],
    ...(podIPs.length === 0 ? {} : { podIP: podIPs[0]?.ip, podIPs }),
    startTime: old.startTime ?? now(),
    qosClass: old.qosClass ?? qosClass(pod),
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: main,
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
  };
  return status;
}

/** The status of a pod that the node does not take. */
export function rejectedStatus(pod: Pod, failure: { reason: string; message: string }): PodStatus {
  const generation = pod.metadata.generation;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase: 'Failed',
    ...failure,
    startTime: pod.status?.startTime ?? now(),
    qosClass: pod.status?.qosClass ?? qosClass(pod),
  };
}

/** A reason once given for a failure stays. */
function keptReason(old: PodStatus): { reason?: string; message?: string } {
  if (old.phase !== 'Failed') return {};
  return { ...(old.reason ? { reason: old.reason } : {}), ...(old.message ? { message: old.message } : {}) };
}

function terminated(container: RuntimeContainer, messages: ReadonlyMap<string, string>): ContainerState {
  const message = messages.get(container.id) || container.message;
  return {
    terminated: {
      exitCode: container.exitCode,
      reason: container.reason || (container.exitCode === 0 ? 'Completed' : 'Error'),
      ...(message === '' ? {} : { message }),
      startedAt: container.startedAt === '0' ? null : time(container.startedAt),
      finishedAt: time(container.finishedAt),
      containerID: `containerd://${container.id}`,
    },
  } as ContainerState;
}

function stateOf(container: RuntimeContainer, messages: ReadonlyMap<string, string>): ContainerState {
  if (container.state === 'CONTAINER_RUNNING') return { running: { startedAt: time(container.startedAt) } };
  if (container.state === 'CONTAINER_EXITED') return terminated(container, messages);
  return { waiting: { reason: 'ContainerCreating' } };
}

function volumeMountsOf(container: Container): Pick<ContainerStatus, 'volumeMounts'> {
  const mounts = (container.volumeMounts ?? []).map(({ name, mountPath, readOnly, recursiveReadOnly }) => ({
    name,
    mountPath,
    ...(readOnly === true ? { readOnly, recursiveReadOnly: recursiveReadOnly ?? 'Disabled' } : {}),
  }));
  return mounts.length === 0 ? {} : { volumeMounts: mounts };
}

function containerStatus(input: StatusInput, container: Container, isInit: boolean): ContainerStatus {
  const { pod, runtime, waiting, messages } = input;
  const name = container.name ?? '';
  const [latest, previous] = runtime.containers.get(name) ?? [];
  if (latest === undefined) return unseen(input, container, isInit);
  const reason = waiting.get(name);
  const isWaiting =
    reason !== undefined &&
    latest.state !== 'CONTAINER_RUNNING' &&
    !input.terminal &&
    shouldRestart(pod, container, latest);
  const last = isWaiting ? latest : previous;
  const running = latest.state === 'CONTAINER_RUNNING';
  const started = running && input.started(latest.id);
  const exitedWell = latest.state === 'CONTAINER_EXITED' && latest.exitCode === 0;
  const allocated = requestsOf(container.resources);
  const actual = (running ? input.resources?.(name) : undefined) ?? container.resources;
  const requests = requestsOf(actual);
  return {
    name,
    state: isWaiting ? { waiting: present(reason) } : stateOf(latest, messages),
    lastState: last?.state === 'CONTAINER_EXITED' ? terminated(last, messages) : {},
    ready: isInit && !isSidecar(container) ? exitedWell && !isWaiting : started && input.ready(latest.id),
    restartCount: restartCount(latest),
    image: latest.image.image || (container.image ?? ''),
    imageID: latest.imageRef,
    containerID: `containerd://${latest.id}`,
    started,
    ...(allocated ? { allocatedResources: allocated } : {}),
    resources: { ...(actual?.limits ? { limits: actual.limits } : {}), ...(requests ? { requests } : {}) },
    ...volumeMountsOf(container),
  } as ContainerStatus;
}

/** Requests, which limits stand for where there are none; undefined where there is neither. */
function requestsOf({ limits, requests }: ResourceRequirements = {}): ResourceRequirements['requests'] {
  const both = { ...limits, ...requests };
  return Object.keys(both).length === 0 ? undefined : both;
}

/** Ephemeral containers have no probes and take no traffic. */
function ephemeralStatus(input: StatusInput, container: Container): ContainerStatus {
  const { started: _, ...status } = containerStatus(input, container, false);
  return { ...status, ready: false };
}

const present = ({ reason, message }: { reason: string; message: string }): { reason: string; message?: string } =>
  message === '' ? { reason } : { reason, message };

/** The status of a container that the runtime does not have: it waits, or has been removed. */
function unseen(input: StatusInput, container: Container, isInit: boolean): ContainerStatus {
  const { pod, waiting } = input;
  const name = container.name ?? '';
  const kept = keptStatus(pod, name);
  if (kept?.state?.terminated)
    return { ...kept, ready: isInit && kept.state.terminated.exitCode === 0, started: false };
  if (kept?.state?.running && input.terminal) {
    return { ...kept, ready: false, started: false, state: { terminated: lost(kept) } };
  }
  const initializing = (pod.spec?.initContainers?.length ?? 0) > 0;
  const reason = waiting.get(name) ?? { reason: initializing ? 'PodInitializing' : 'ContainerCreating', message: '' };
  return {
    name,
    state: { waiting: present(reason) },
    lastState: kept?.lastState ?? {},
    ready: false,
    restartCount: kept?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
    started: false,
    ...volumeMountsOf(container),
  } as ContainerStatus;
}

const lost = (kept: ContainerStatus): NonNullable<ContainerState['terminated']> => ({
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
  ...(kept.containerID ? { containerID: kept.containerID } : {}),
});

/** `status.phase` (upstream's `getPhase`). Succeeded and Failed are final. */
function podPhase(
  input: StatusInput,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
): 'Pending' | 'Running' | 'Succeeded' | 'Failed' {
  const { pod, terminal } = input;
  const old = pod.status?.phase;
  if (old === 'Succeeded' || old === 'Failed') return old;
  const policy = pod.spec?.restartPolicy ?? 'Always';
  let pendingInit = 0;
  let failedInit = 0;
  let sidecarsRunning = 0;
  (pod.spec?.initContainers ?? []).forEach((container, i) => {
    const { state, lastState, started } = init[i] ?? {};
    if (isSidecar(container)) {
      if (state?.running) sidecarsRunning++;
      if ((state?.running && started !== true) || (state?.waiting && !lastState?.terminated)) pendingInit++;
    } else if (state?.terminated) {
      if (state.terminated.exitCode !== 0) failedInit++;
    } else if (lastState?.terminated && lastState.terminated.exitCode !== 0) failedInit++;
    else pendingInit++;
  });
  if (failedInit > 0 && policy === 'Never') return 'Failed';
  const running = main.filter(({ state }) => state?.running).length;
  const stopped = main.filter(({ state, lastState }) => state?.terminated || (state?.waiting && lastState?.terminated));
  const succeeded = stopped.filter(({ state }) => state?.terminated?.exitCode === 0).length;
  const waiting = main.length - running - stopped.length;
  const initializing = pendingInit + failedInit > 0 && running === 0 && stopped.length === 0;
  if (terminal && running === 0) {
    return stopped.length === main.length && succeeded === main.length && !initializing ? 'Succeeded' : 'Failed';
  }
  if (initializing || waiting > 0) return 'Pending';
  if (running > 0 || sidecarsRunning > 0) return 'Running';
  if (main.some(({ state }) => state?.waiting)) return 'Running';
  const willRestart = main.some(({ state }, i) => {
    const container = pod.spec?.containers?.[i];
    const code = state?.terminated?.exitCode ?? 0;
    return container !== undefined && restartsAfter(pod, container, code);
  });
  if (willRestart) return 'Running';
  return succeeded === main.length ? 'Succeeded' : 'Failed';
}

function restartsAfter(pod: Pod, container: Container, exitCode: number): boolean {
  const ended = { state: 'CONTAINER_EXITED', exitCode } as RuntimeContainer;
  return shouldRestart(pod, container, ended);
}
