/** Ends what runs of a pod: main containers first, then sidecars in reverse order, then the sandbox. */
import type { Container, Pod } from '../../src/generated/types/core.v1.ts';
import { type CriClient, isMissing } from '../runtime/cri.ts';
import { killContainer } from './container-runner.ts';
import type { KubeletDeps } from './deps.ts';
import { isSidecar } from './pod.ts';
import { type PodRuntime, type RuntimeContainer, readySandbox, runningContainers, sandboxIps } from './pod-runtime.ts';

/** A stop under way, whose deadline may still move nearer. */
export class PodStopper {
  readonly #deps: KubeletDeps;
  readonly #pod: Pod;
  readonly #message: string;
  #deadline: number;
  #stopping = new Set<string>();

  /** `graceSeconds` counts from now. `message` is the Killing events' one; empty for upstream's own. */
  constructor(deps: KubeletDeps, pod: Pod, graceSeconds: number, message = '') {
    this.#deps = deps;
    this.#pod = pod;
    this.#message = message;
    this.#deadline = Date.now() + graceSeconds * 1000;
  }

  /** Someone has less patience: what still runs gets `graceSeconds` from now. */
  shorten(graceSeconds: number): void {
    const deadline = Date.now() + graceSeconds * 1000;
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    for (const id of this.#stopping) this.#deps.cri.stopContainer(id, graceSeconds).catch(() => {});
  }

  /** Stops all containers and sandboxes. Idempotent. */
  async run(runtime: PodRuntime): Promise<void> {
    const running = runningContainers(runtime);
    const sidecars = (this.#pod.spec?.initContainers ?? []).filter(isSidecar).reverse();
    const isOfSidecar = (status: RuntimeContainer): boolean =>
      sidecars.some(({ name }) => name === status.metadata.name);
    const ip = sandboxIps(readySandbox(runtime))[0] ?? this.#deps.node.ip;
    await Promise.all(running.filter((status) => !isOfSidecar(status)).map((status) => this.#kill(status, ip)));
    for (const { name } of sidecars) {
      for (const status of running.filter(({ metadata }) => metadata.name === name)) await this.#kill(status, ip);
    }
    await stopSandboxes(this.#deps.cri, runtime);
  }

  async #kill(status: RuntimeContainer, ip: string): Promise<void> {
    const all = [...(this.#pod.spec?.containers ?? []), ...(this.#pod.spec?.initContainers ?? [])];
    const name = status.metadata.name;
    const container: Container = all.find((candidate) => candidate.name === name) ?? { name };
    this.#stopping.add(status.id);
    try {
      const grace = Math.max(0, Math.ceil((this.#deadline - Date.now()) / 1000));
      await killContainer(this.#deps, this.#pod, container, status.id, ip, this.#message, grace);
    } finally {
      this.#stopping.delete(status.id);
    }
  }
}

const ifPresent = async (call: Promise<void>): Promise<void> => {
  try {
    await call;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
};

/** Stops the pod's sandboxes; their networks are given back. */
export async function stopSandboxes(cri: CriClient, runtime: PodRuntime): Promise<void> {
  await Promise.all(
    runtime.sandboxes
      .filter(({ state }) => state === 'SANDBOX_READY')
      .map(({ id }) => ifPresent(cri.stopPodSandbox(id))),
  );
}

/** Removes the pod's stopped containers and sandboxes from the runtime. */
export async function removeFromRuntime(cri: CriClient, runtime: PodRuntime): Promise<void> {
  const containers = [...runtime.containers.values()].flat();
  await Promise.all(containers.map(({ id }) => ifPresent(cri.removeContainer(id))));
  for (const { id } of runtime.sandboxes) {
    await ifPresent(cri.stopPodSandbox(id));
    await ifPresent(cri.removePodSandbox(id));
  }
}

/** Keeps the newest two of each container (the one before is `kubectl logs --previous`'s) and the sandboxes that they are in. */
export async function prune(cri: CriClient, runtime: PodRuntime): Promise<void> {
  const kept = new Set<string>();
  for (const attempts of runtime.containers.values()) {
    for (const { podSandboxId } of attempts.slice(0, 2)) kept.add(podSandboxId);
    for (const { id, state } of attempts.splice(2)) {
      if (state !== 'CONTAINER_RUNNING') await ifPresent(cri.removeContainer(id));
    }
  }
  for (const { id, state } of runtime.sandboxes.slice(1)) {
    if (state === 'SANDBOX_NOTREADY' && !kept.has(id)) await ifPresent(cri.removePodSandbox(id));
  }
}
