/** Small questions that many parts ask of a pod. */
import type { Container, ContainerStatus, Pod } from '../../src/generated/types/core.v1.ts';

/** `name_namespace(uid)`: how upstream's messages name a pod. */
export function podFullName(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}

/** Whether the init container is a sidecar, which runs beside the main containers. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** Init containers first, then the main ones. */
export function allContainers(pod: Pod): Container[] {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
}

/** All that can have logs and be attached to: ephemeral containers too, which are no part of what the pod asks for. */
export function everyContainer(pod: Pod): Container[] {
  return [...allContainers(pod), ...(pod.spec?.ephemeralContainers ?? [])];
}

/** What the API server has of a container of any kind. */
export function keptStatus(pod: Pod, name: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  const all = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
  return all.find((status) => status.name === name);
}

/** `spec.containers{name}` and the like: what an event about a container points at. */
export function fieldPathOf(pod: Pod, name: string): string {
  const lists = ['initContainers', 'ephemeralContainers'] as const;
  const found = lists.find((list) => pod.spec?.[list]?.some((container) => container.name === name));
  return `spec.${found ?? 'containers'}{${name}}`;
}

/** Whether the pod has come to its end: no container will be started again. */
export function isTerminalPhase(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Seconds that containers get to stop. */
export function gracePeriod(pod: Pod): number {
  return pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
}

/** Milliseconds that the pod may still be active, by its `activeDeadlineSeconds`. */
export function activeLeft({ spec, status }: Pod): number {
  const seconds = spec?.activeDeadlineSeconds;
  if (seconds === undefined || !status?.startTime) return Number.POSITIVE_INFINITY;
  return Date.parse(status.startTime) + seconds * 1000 - Date.now();
}
