/** Starting those containers of a pod that are due. */
import type { Container } from '../../src/generated/types/core.v1.ts';
import { type StartInput, startContainer } from './container-runner.ts';
import type { KubeletDeps } from './deps.ts';
import { ImageVolumes } from './image-volumes.ts';
import { WaitingError } from './images.ts';
import { configureSandbox } from './sandbox.ts';

/** When a container that waits is tried again, if it does not say. */
const RETRY_MS = 10_000;

/** Who wants to know how starts went. */
export interface StartListener {
  started(container: Container): void;
  waiting(container: Container, why: WaitingError): void;
}

/** Starts the containers in their order; answers with the milliseconds until the first of those that wait is to be tried again. */
export async function startContainers(
  deps: KubeletDeps,
  containers: readonly Container[],
  input: Omit<StartInput, 'container' | 'sandboxConfig' | 'imageVolumes'>,
  listener: StartListener,
): Promise<number> {
  let due = Number.POSITIVE_INFINITY;
  const sandboxConfig = await configureSandbox(deps, input.pod, input.folders, input.sandbox.metadata.attempt);
  const imageVolumes = new ImageVolumes(deps, input.pod, input.signal);
  for (const container of containers) {
    if (input.signal.aborted) break;
    try {
      await startContainer(deps, { ...input, container, sandboxConfig, imageVolumes });
      listener.started(container);
    } catch (error) {
      if (!(error instanceof WaitingError)) throw error;
      listener.waiting(container, error);
      due = Math.min(due, error.retryAt === undefined ? RETRY_MS : error.retryAt - Date.now());
    }
  }
  return due;
}
