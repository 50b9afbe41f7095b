/** The conditions that a kubelet keeps on a pod. */
import { findCondition } from '../../src/apimachinery/conditions.ts';
import type { ContainerStatus, Pod, PodCondition } from '../../src/generated/types/core.v1.ts';
import { isSidecar } from './pod.ts';

/** Those that are there during a resize alone. */
export const RESIZE_CONDITIONS = ['PodResizePending', 'PodResizeInProgress'] as const;

interface Finding {
  status: 'True' | 'False';
  reason?: string;
  message?: string;
}

const TRUE: Finding = { status: 'True' };

/** In upstream's order. `lastTransitionTime` moves only when the status does. */
export function conditions(
  pod: Pod,
  phase: string,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
  sandboxReady: boolean,
  now: string,
): PodCondition[] {
  const containersReady = findContainersReady(pod, phase, init, main);
  const findings: [string, Finding][] = [
    ['PodReadyToStartContainers', sandboxReady ? TRUE : { status: 'False' }],
    ['Initialized', findInitialized(pod, phase, init, main)],
    ['Ready', findReady(pod, containersReady)],
    ['ContainersReady', containersReady],
    ['PodScheduled', TRUE],
  ];
  const generation = pod.metadata.generation;
  return findings.map(([type, finding]) => {
    const old = findCondition(pod.status?.conditions, type);
    return {
      type,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      status: finding.status,
      lastProbeTime: null,
      lastTransitionTime: old?.status === finding.status && old.lastTransitionTime ? old.lastTransitionTime : now,
      ...(finding.reason === undefined ? {} : { reason: finding.reason }),
      ...(finding.message === undefined ? {} : { message: finding.message }),
    } as unknown as PodCondition;
  });
}

function findInitialized(
  pod: Pod,
  phase: string,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
): Finding {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  const anyStarted = main.some(({ state, lastState }) => state?.running || state?.terminated || lastState?.terminated);
  if (anyStarted) return TRUE;
  const incomplete = (pod.spec?.initContainers ?? [])
    .filter((container, i) => (isSidecar(container) ? init[i]?.started !== true : init[i]?.ready !== true))
    .map(({ name }) => name);
  if (incomplete.length === 0) return TRUE;
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.join(' ')}]`,
  };
}

function findContainersReady(
  pod: Pod,
  phase: string,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
): Finding {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const sidecars = init.filter((_, i) => isSidecar(pod.spec?.initContainers?.[i] ?? {}));
  const unready = [...sidecars, ...main].filter(({ ready }) => ready !== true).map(({ name }) => name);
  if (unready.length === 0) return TRUE;
  const message = `containers with unready status: [${unready.join(' ')}]`;
  return { status: 'False', reason: 'ContainersNotReady', message };
}

function findReady(pod: Pod, containersReady: Finding): Finding {
  if (containersReady.status !== 'True') return containersReady;
  const messages: string[] = [];
  for (const { conditionType } of pod.spec?.readinessGates ?? []) {
    const gate = findCondition(pod.status?.conditions, conditionType);
    if (gate === undefined) {
      messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    } else if (gate.status !== 'True') {
      messages.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`);
    }
  }
  if (messages.length === 0) return TRUE;
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}
