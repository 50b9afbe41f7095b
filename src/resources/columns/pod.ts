/** Columns of pods: what became of the containers in one word. */
import { ageSince } from '../../apimachinery/duration.ts';
import type { ContainerStatus, Pod } from '../../generated/types/core.v1.ts';
import type { Column } from '../resource.ts';
import { age, NONE, name, text, wide } from './shared.ts';

interface Summary {
  ready: string;
  status: string;
  restarts: number;
  /** When a container that restarted last ended, in ms; 0 where none did. */
  restartedAt: number;
}

interface Progress {
  reason: string;
  ready: number;
  restarts: number;
  restartedAt: number;
}

const hasCondition = (pod: Pod, type: string): boolean =>
  (pod.status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');

/** A restart counted, with the time of the last one. */
function count(progress: Progress, { restartCount = 0, lastState }: ContainerStatus): void {
  progress.restarts += restartCount;
  const finished = Date.parse(lastState?.terminated?.finishedAt ?? '');
  if (finished > progress.restartedAt) progress.restartedAt = finished;
}

const exitReason = ({ signal, exitCode }: { signal?: number; exitCode?: number }): string =>
  signal ? `Signal:${signal}` : `ExitCode:${exitCode ?? 0}`;

/** Goes through the init containers up to the first that is not done. Returns whether there is one; sidecars are counted apart. */
function initialize(pod: Pod, progress: Progress, sidecarProgress: Progress, sidecars: ReadonlySet<string>): boolean {
  const total = pod.spec?.initContainers?.length ?? 0;
  for (const [at, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const { state = {}, started, ready } = status;
    const sidecar = sidecars.has(status.name ?? '');
    count(progress, status);
    if (sidecar) count(sidecarProgress, status);
    const { terminated, waiting } = state;
    if (terminated && (terminated.exitCode ?? 0) === 0) continue;
    if (sidecar && started === true) {
      if (ready) sidecarProgress.ready += 1;
      continue;
    }
    if (terminated) progress.reason = `Init:${terminated.reason || exitReason(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') progress.reason = `Init:${waiting.reason}`;
    else progress.reason = `Init:${at}/${total}`;
    return true;
  }
  return false;
}

/** Goes through the containers, the first one last: its reason wins. */
function run(pod: Pod, progress: Progress): void {
  let running = false;
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    count(progress, status);
    const { waiting, terminated, running: runs } = status.state ?? {};
    if (waiting?.reason) progress.reason = waiting.reason;
    else if (terminated) progress.reason = terminated.reason || exitReason(terminated);
    else if (status.ready && runs) {
      running = true;
      progress.ready += 1;
    }
  }
  // One container has completed, but not all.
  if (progress.reason === 'Completed' && running) progress.reason = hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
}

function summarize(pod: Pod): Summary {
  const { status = {}, spec = {}, metadata } = pod;
  const gated = (status.conditions ?? []).some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  const reason = gated ? 'SchedulingGated' : status.reason || status.phase || '';
  const restartable = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const sidecars = new Set(restartable.map((container) => container.name ?? ''));
  let progress: Progress = { reason, ready: 0, restarts: 0, restartedAt: 0 };
  const sidecarProgress: Progress = { ...progress };
  const initializing = initialize(pod, progress, sidecarProgress, sidecars);
  if (initializing && !hasCondition(pod, 'Initialized')) {
    progress.ready = sidecarProgress.ready;
  } else {
    progress = { ...sidecarProgress, reason: progress.reason };
    run(pod, progress);
  }
  if (metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') progress.reason = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') progress.reason = 'Terminating';
  }
  const total = (spec.containers?.length ?? 0) + sidecars.size;
  const { restarts, restartedAt } = progress;
  return { ready: `${progress.ready}/${total}`, status: progress.reason, restarts, restartedAt };
}

// One row asks three times.
const summaries = new WeakMap<Pod, Summary>();

function summaryOf(pod: Pod): Summary {
  let summary = summaries.get(pod);
  if (summary === undefined) {
    summary = summarize(pod);
    summaries.set(pod, summary);
  }
  return summary;
}

function restartsOf(pod: Pod, now: number): string {
  const { restarts, restartedAt } = summaryOf(pod);
  if (restarts === 0 || restartedAt === 0) return String(restarts);
  return `${restarts} (${ageSince(new Date(restartedAt).toISOString(), now)} ago)`;
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  const passed = gates.filter(({ conditionType = '' }) => hasCondition(pod, conditionType));
  return gates.length === 0 ? NONE : `${passed.length}/${gates.length}`;
}

export const podColumns: readonly Column<Pod>[] = [
  name,
  text('Ready', (pod) => summaryOf(pod).ready),
  text('Status', (pod) => summaryOf(pod).status),
  text('Restarts', restartsOf),
  age,
  wide(text('IP', ({ status }) => status?.podIPs?.[0]?.ip || NONE)),
  wide(text('Node', ({ spec }) => spec?.nodeName || NONE)),
  wide(text('Nominated Node', ({ status }) => status?.nominatedNodeName || NONE)),
  wide(text('Readiness Gates', readinessGates)),
];
