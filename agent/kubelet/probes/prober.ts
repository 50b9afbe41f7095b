/** Runs the probes of running containers on their periods and remembers what they found. */
import type { Container, Pod, Probe } from '../../../src/generated/types/core.v1.ts';
import { delay } from '../../informer.ts';
import type { CriClient } from '../../runtime/cri.ts';
import type { Health } from '../actions.ts';
import type { EventRecorder } from '../events.ts';
import { allContainers, fieldPathOf } from '../pod.ts';
import { type PodRuntime, type RuntimeContainer, readySandbox, sandboxIps } from '../pod-runtime.ts';
import { runProbe } from './probe.ts';

type Kind = 'Liveness' | 'Readiness' | 'Startup';
const KINDS: readonly Kind[] = ['Startup', 'Readiness', 'Liveness'];
const MAX_MESSAGE = 500;

interface Watched {
  abort: AbortController;
  startedAt: number;
  readiness: boolean;
  liveness: boolean;
  /** Undefined while undecided. */
  startup: boolean | undefined;
}

const probeOf = (container: Container, kind: Kind): Probe | undefined =>
  kind === 'Liveness'
    ? container.livenessProbe
    : kind === 'Readiness'
      ? container.readinessProbe
      : container.startupProbe;

export interface ProberOptions {
  cri: CriClient;
  events: EventRecorder;
  nodeIp: string;
  /** A pod whose containers' health has changed. */
  onChange: (uid: string) => void;
}

/** All probes of all pods; results are by container id. */
export class Prober implements Health {
  readonly #options: ProberOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #byPod = new Map<string, Set<string>>();

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  liveness(id: string): boolean {
    return this.#watched.get(id)?.liveness ?? true;
  }

  startup(id: string): boolean | undefined {
    const watched = this.#watched.get(id);
    return watched === undefined ? true : watched.startup;
  }

  /** Whether the container is to receive traffic: true where it has no readiness probe. */
  readiness(id: string): boolean {
    return this.#watched.get(id)?.readiness ?? true;
  }

  /** Starts probing the pod's running containers and stops for those that are no more. */
  update(pod: Pod, runtime: PodRuntime): void {
    const uid = pod.metadata.uid ?? '';
    const known = this.#byPod.get(uid) ?? new Set<string>();
    const running = new Map<string, { container: Container; status: RuntimeContainer }>();
    for (const container of allContainers(pod)) {
      const status = runtime.containers.get(container.name ?? '')?.[0];
      if (status?.state === 'CONTAINER_RUNNING') running.set(status.id, { container, status });
    }
    for (const id of known) if (!running.has(id)) this.#stop(known, id);
    for (const [id, { container, status }] of running) {
      if (known.has(id) || !KINDS.some((kind) => probeOf(container, kind))) continue;
      known.add(id);
      this.#start(pod, container, status, sandboxIps(readySandbox(runtime))[0] ?? this.#options.nodeIp);
    }
    if (known.size > 0) this.#byPod.set(uid, known);
    else this.#byPod.delete(uid);
  }

  /** Stops all probes of the pod, or only those that would have it restarted. */
  release(uid: string): void {
    const known = this.#byPod.get(uid) ?? new Set<string>();
    for (const id of [...known]) this.#stop(known, id);
    this.#byPod.delete(uid);
  }

  #stop(known: Set<string>, id: string): void {
    this.#watched.get(id)?.abort.abort();
    this.#watched.delete(id);
    known.delete(id);
  }

  #start(pod: Pod, container: Container, status: RuntimeContainer, sandboxIp: string): void {
    const abort = new AbortController();
    const containerID = `containerd://${status.id}`;
    const old = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
      (candidate) => candidate.containerID === containerID,
    );
    // An agent that was restarted goes on where the last one stopped: the API still has what it found.
    const watched: Watched = {
      abort,
      startedAt: Number(BigInt(status.startedAt) / 1_000_000n),
      readiness: container.readinessProbe === undefined || old?.ready === true,
      liveness: true,
      startup: container.startupProbe === undefined || old?.started === true ? true : undefined,
    };
    this.#watched.set(status.id, watched);
    const podIp = pod.spec?.hostNetwork === true ? this.#options.nodeIp : sandboxIp;
    for (const kind of KINDS) {
      const probe = probeOf(container, kind);
      if (probe === undefined || (kind === 'Startup' && watched.startup === true)) continue;
      void this.#run(pod, container, status.id, kind, probe, watched, podIp).catch(() => {});
    }
  }

  async #run(
    pod: Pod,
    container: Container,
    id: string,
    kind: Kind,
    probe: Probe,
    watched: Watched,
    podIp: string,
  ): Promise<void> {
    const { signal } = watched.abort;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    const initialMs = (probe.initialDelaySeconds ?? 0) * 1000;
    let successes = 0;
    let failures = 0;
    await delay(watched.startedAt + initialMs - Date.now(), signal);
    while (!signal.aborted) {
      if (kind !== 'Startup' && watched.startup !== true) {
        await delay(Math.min(periodMs, 1000), signal);
        continue;
      }
      const success = await this.#once(pod, container, id, kind, probe, podIp);
      if (signal.aborted) return;
      if (success === true) {
        successes++;
        failures = 0;
      } else if (success === false) {
        failures++;
        successes = 0;
      }
      const decided =
        successes >= (probe.successThreshold ?? 1)
          ? true
          : failures >= (probe.failureThreshold ?? 3)
            ? false
            : undefined;
      if (decided !== undefined && this.#decide(pod, kind, watched, decided)) return;
      await delay(periodMs, signal);
    }
  }

  /** Notes what a probe has decided. Answers whether it need not run any more. */
  #decide(pod: Pod, kind: Kind, watched: Watched, healthy: boolean): boolean {
    const key = kind === 'Liveness' ? 'liveness' : kind === 'Readiness' ? 'readiness' : 'startup';
    if (watched[key] !== healthy) {
      watched[key] = healthy;
      this.#options.onChange(pod.metadata.uid ?? '');
    }
    // After a startup probe nothing is left to find out; after a failed liveness probe the container is killed.
    return kind === 'Startup' || (kind === 'Liveness' && !healthy);
  }

  async #once(
    pod: Pod,
    container: Container,
    id: string,
    kind: Kind,
    probe: Probe,
    podIp: string,
  ): Promise<boolean | undefined> {
    const event = (message: string): void =>
      this.#options.events.record(
        pod,
        'Warning',
        'Unhealthy',
        message.slice(0, MAX_MESSAGE),
        fieldPathOf(pod, container.name ?? ''),
      );
    try {
      const { success, output } = await runProbe(probe, { cri: this.#options.cri, container, id, podIp });
      if (!success && this.#watched.has(id)) event(`${kind} probe failed: ${output}`);
      return success;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (this.#watched.has(id)) event(`${kind} probe errored and resulted in unknown state: ${why}`);
      return undefined;
    }
  }
}
