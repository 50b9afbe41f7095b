/** A pod's volumes, made ready before its sandbox. */
import type { Pod } from '../../src/generated/types/core.v1.ts';
import type { KubeletDeps } from './deps.ts';
import { RetryError } from './sandbox.ts';
import { type HostPaths, MountError } from './volumes/manager.ts';

/** Sets up all volumes, or brings them up to date. Throws {@link RetryError}, of which an event has told. */
export async function mountVolumes(deps: KubeletDeps, pod: Pod): Promise<HostPaths> {
  const { volumes, config, tokens, node, allocatable, events } = deps;
  const sources = { config: config.for(pod.metadata.uid ?? ''), tokens, node, allocatable };
  try {
    return await volumes.setUp(pod, sources);
  } catch (error) {
    if (!(error instanceof MountError)) throw error;
    events.record(pod, 'Warning', 'FailedMount', error.message);
    throw new RetryError(error.message);
  }
}
