/** Which file has a container's log, or why none has. */
import { badRequest } from '../../src/apimachinery/errors.ts';
import type { ContainerStatus, Pod } from '../../src/generated/types/core.v1.ts';
import { everyContainer, keptStatus } from './pod.ts';
import type { PodRuntime } from './pod-runtime.ts';

/** Upstream's `validateContainerLogStatus`. Throws BadRequest where there is no log. */
export function logPath(pod: Pod, runtime: PodRuntime, container: string, previous: boolean): string {
  const quoted = `container "${container}" in pod "${pod.metadata.name}"`;
  if (!everyContainer(pod).some(({ name }) => name === container)) {
    throw badRequest(`container ${container} is not valid for pod ${pod.metadata.name}`);
  }
  const attempts = runtime.containers.get(container) ?? [];
  const status = keptStatus(pod, container);
  const chosen = previous ? previousAttempt(attempts, status) : attempts[0];
  if (chosen !== undefined) return chosen.logPath;
  if (previous) {
    throw badRequest(`previous terminated container "${container}" in pod "${pod.metadata.name}" not found`);
  }
  const waiting = status?.state?.waiting;
  const reason = waiting?.reason ?? 'ContainerCreating';
  const trying = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName', 'RegistryUnavailable'];
  if (trying.includes(reason)) {
    const why = reason === 'ErrImagePull' ? "image can't be pulled" : 'trying and failing to pull image';
    throw badRequest(`${quoted} is waiting to start: ${why}`);
  }
  if (status?.state?.terminated) throw badRequest(`${quoted} is terminated`);
  throw badRequest(`${quoted} is waiting to start: ${reason}`);
}

/** The attempt before the one that runs, or the last one that ended. */
function previousAttempt<T extends { state: string; id: string }>(
  attempts: readonly T[],
  status: ContainerStatus | undefined,
): T | undefined {
  const last = status?.lastState?.terminated?.containerID?.replace(/^containerd:\/\//, '');
  return attempts.find(({ id }) => id === last) ?? attempts[1];
}
