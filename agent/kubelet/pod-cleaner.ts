/** What a pod leaves behind, here and at the API server, and how that goes. */
import { rm } from 'node:fs/promises';
import { isReason } from '../../src/apimachinery/errors.ts';
import type { Pod } from '../../src/generated/types/core.v1.ts';
import { removePodCgroup } from './cgroups.ts';
import type { PodFolders } from './container-config.ts';
import type { KubeletDeps } from './deps.ts';
import type { PodRuntime } from './pod-runtime.ts';
import { removeFromRuntime, stopSandboxes } from './pod-stopper.ts';

/** Removes all that this machine has of a pod whose containers have stopped. */
export async function cleanUp(deps: KubeletDeps, uid: string, folders: PodFolders, runtime: PodRuntime): Promise<void> {
  const { cri, volumes, tokens, config, images, backoff } = deps;
  await stopSandboxes(cri, runtime);
  await removeFromRuntime(cri, runtime);
  await volumes.tearDown(uid);
  await rm(folders.logs, { recursive: true, force: true });
  removePodCgroup(uid);
  tokens.release(uid);
  config.release(uid);
  images.release(uid);
  backoff.forget(`${uid}/`);
}

/** Lets the API server forget the pod, if it is this one that it still has. */
export async function forget({ client }: KubeletDeps, { metadata }: Pod): Promise<void> {
  const { namespace = '', name, uid = '' } = metadata;
  try {
    await client.delete('core/pods', namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
  } catch (error) {
    // Conflict: the name is another pod's already.
    if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
  }
}
