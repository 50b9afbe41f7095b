/** A pod's sandbox: made before its containers, in place of one that has ended. */
import { mkdir } from 'node:fs/promises';
import type { Pod } from '../../src/generated/types/core.v1.ts';
import { createPodCgroup, podCgroup } from './cgroups.ts';
import { type PodFolders, sandboxConfig } from './container-config.ts';
import type { KubeletDeps } from './deps.ts';
import { rpcText } from './images.ts';
import { gracePeriod } from './pod.ts';
import type { PodRuntime } from './pod-runtime.ts';
import { PodStopper } from './pod-stopper.ts';
import { qosClass } from './resources.ts';

const MAX_PIDS = 4096;

/** A failure that has been told as an event; the worker tries again. */
export class RetryError extends Error {}

/** The configuration of a sandbox that there is, or whose cgroup there is. */
export function configureSandbox(
  deps: KubeletDeps,
  pod: Pod,
  folders: PodFolders,
  attempt: number,
): ReturnType<typeof sandboxConfig> {
  const cgroup = podCgroup(qosClass(pod), pod.metadata.uid ?? '');
  return sandboxConfig(pod, attempt, cgroup, folders, deps.cluster);
}

/** Makes a new sandbox, after what is left of the one before has been stopped. Throws {@link RetryError}. */
export async function createSandbox(
  deps: KubeletDeps,
  pod: Pod,
  folders: PodFolders,
  runtime: PodRuntime,
): Promise<void> {
  const { cri, events } = deps;
  const previous = runtime.sandboxes[0];
  if (previous !== undefined) {
    events.record(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    await new PodStopper(deps, pod, gracePeriod(pod)).run(runtime);
  }
  const problem = pod.spec?.hostNetwork === true ? undefined : await deps.networkProblem();
  if (problem !== undefined) {
    events.record(pod, 'Warning', 'NetworkNotReady', `network is not ready: ${problem}`);
    throw new RetryError(problem);
  }
  await mkdir(folders.logs, { recursive: true, mode: 0o755 });
  const attempt = previous === undefined ? 0 : previous.metadata.attempt + 1;
  createPodCgroup(pod, MAX_PIDS);
  try {
    await cri.runPodSandbox(await configureSandbox(deps, pod, folders, attempt));
  } catch (error) {
    const why = rpcText(error);
    events.record(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${why}`);
    throw new RetryError(why);
  }
}
