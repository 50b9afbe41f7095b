/** The kubelet: one worker per pod of this node, and what they share. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findCondition } from '../../src/apimachinery/conditions.ts';
import { badRequest, notFound } from '../../src/apimachinery/errors.ts';
import type { Pod, Service } from '../../src/generated/types/core.v1.ts';
import { type Change, delay, type Informer } from '../informer.ts';
import { paths } from '../paths.ts';
import type { AgentContext, KubeletHandle } from '../types.ts';
import { admitOnNewest, admitResize } from './admission.ts';
import { Backoff, RESTART_BACKOFF } from './backoff.ts';
import { removePodCgroup } from './cgroups.ts';
import { ConfigSource } from './config-source.ts';
import type { KubeletDeps } from './deps.ts';
import { EventRecorder } from './events.ts';
import { ImageManager } from './images.ts';
import { logPath } from './log-path.ts';
import { pruneLogs, rotateLog } from './log-rotation.ts';
import { type LogOptions, streamLog } from './logs.ts';
import { capacity } from './machine.ts';
import { NodeAgent } from './node-agent.ts';
import { Pleg } from './pleg.ts';
import { everyContainer } from './pod.ts';
import { LABELS, readPodRuntime, readySandbox, restartCount, runningContainers } from './pod-runtime.ts';
import { removeFromRuntime } from './pod-stopper.ts';
import { PodWorker } from './pod-worker.ts';
import { Prober } from './probes/prober.ts';
import { resizeMachine } from './resize-actuation.ts';
import { TokenSource } from './tokens.ts';
import { VolumeManager } from './volumes/manager.ts';

const HOUSEKEEPING_MS = 10_000;
/** How long what is under way may take to end. */
const END_MS = 3000;
const STOP_TRIES = 5;
const STOP_RETRY_MS = 200;
const PODS = { group: '', resource: 'pods' };

export interface KubeletOptions {
  context: AgentContext;
  labels: Record<string, string>;
}

/** Starts the kubelet: it registers the node and takes over the pods that run here already. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  mkdirSync(options.context.dataDir, { recursive: true });
  const kubelet = new Kubelet(options, await capacity(options.context.dataDir));
  await kubelet.start();
  return kubelet;
}

export class Kubelet implements KubeletHandle {
  readonly #deps: KubeletDeps;
  readonly #workers = new Map<string, PodWorker>();
  readonly #pods: Informer<Pod>;
  readonly #services: Informer<Service>;
  readonly #node: NodeAgent;
  readonly #abort = new AbortController();
  #pleg: Pleg | undefined;
  #housekeeping: Promise<void> | undefined;
  #unsubscribe: () => void = () => {};

  constructor({ context, labels }: KubeletOptions, machine: Awaited<ReturnType<typeof capacity>>) {
    const { client, cri, log, nodeName, nodeIp, informers, cluster } = context;
    const { pods, podLogs } = paths(context.dataDir);
    const events = new EventRecorder(client, nodeName, log);
    const wake = (uid: string): void => this.#workers.get(uid)?.wake();
    this.#pods = informers.get<Pod>('core/pods', { fieldSelector: `spec.nodeName=${nodeName}` });
    this.#services = informers.get<Service>('core/services');
    this.#deps = {
      client,
      cri,
      log,
      cluster,
      events,
      node: { name: nodeName, ip: nodeIp },
      allocatable: { ...machine },
      images: new ImageManager(cri, events),
      prober: new Prober({ cri, events, nodeIp, onChange: wake }),
      volumes: new VolumeManager(pods, client, cri.socket),
      tokens: new TokenSource(client),
      config: new ConfigSource(informers, wake),
      backoff: new Backoff(RESTART_BACKOFF),
      services: () => this.#services.list(),
      podLogs,
      seccompDir: join(context.dataDir, 'seccomp'),
      networkProblem: () => this.#networkProblem(),
      admit: (pod) => admitOnNewest(pod, () => this.#given(), { ...machine }, this.#node),
      resize: {
        events,
        machine: resizeMachine(cri, machine.memory),
        refuse: (pod) => admitResize(pod, this.#given(), { ...machine }, this.#node.node),
        onFreed: () => this.#retryResizes(),
      },
    };
    this.#node = new NodeAgent({ context, capacity: machine, labels, events, problem: () => this.#problem() });
  }

  /** Resolves when the pods of this node are known and being worked on. */
  async start(): Promise<void> {
    // Service variables must not be missing from the first containers.
    await Promise.all([this.#pods.synced, this.#services.synced]);
    if (this.#abort.signal.aborted) return;
    this.#unsubscribe = this.#pods.subscribe((change) => this.#onPod(change));
    this.#pleg = new Pleg(this.#deps.cri, this.#deps.log, (uid) => this.#workers.get(uid)?.wake());
    this.#housekeeping = this.#keepHouse();
  }

  pods(): Pod[] {
    return [...this.#workers.values()].map((worker) => worker.pod);
  }

  /** The pods with what they have been given, which may not be what they ask for. */
  #given(): Pod[] {
    return [...this.#workers.values()].map((worker) => worker.given);
  }

  #retryResizes(): void {
    for (const worker of this.#workers.values()) if (worker.deferred) worker.wake();
  }

  findContainer(namespace: string, pod: string, uid: string | undefined, container: string | undefined): string {
    const worker = this.#worker(namespace, pod, uid);
    const name = container || this.#onlyContainer(worker.pod);
    const status = worker.runtime.containers.get(name)?.[0];
    if (!everyContainer(worker.pod).some((candidate) => candidate.name === name)) {
      throw badRequest(`container ${name} is not valid for pod ${pod}`);
    }
    if (status?.state !== 'CONTAINER_RUNNING') throw badRequest(`container not found ("${name}")`);
    return status.id;
  }

  findSandbox(namespace: string, pod: string, uid?: string): string {
    const sandbox = readySandbox(this.#worker(namespace, pod, uid).runtime);
    if (sandbox === undefined) throw badRequest(`pod ${pod}_${namespace} is not running`);
    return sandbox.id;
  }

  async *readLogs(options: LogOptions): AsyncGenerator<Buffer> {
    const worker = this.#worker(options.namespace, options.pod, undefined);
    const container = options.container || this.#onlyContainer(worker.pod);
    const path = logPath(worker.pod, worker.runtime, container, options.previous === true);
    const attempts = worker.runtime.containers.get(container) ?? [];
    const id = attempts[options.previous === true && attempts[0]?.state === 'CONTAINER_RUNNING' ? 1 : 0]?.id;
    const isRunning = async (): Promise<boolean> =>
      this.#workers.has(worker.pod.metadata.uid ?? '') &&
      runningContainers(worker.runtime).some((candidate) => candidate.id === id);
    yield* streamLog({ path, isRunning }, { ...options, container });
  }

  async stop({ stopPods }: { stopPods: boolean }): Promise<void> {
    this.#abort.abort();
    this.#unsubscribe();
    const workers = [...this.#workers.values()].map((worker) => worker.stop());
    const ended = Promise.all([this.#node.stop(), this.#pleg?.stop(), this.#housekeeping, ...workers]);
    // A server that does not answer must not keep pods running.
    await Promise.race([ended.catch(() => {}), delay(END_MS)]);
    for (const uid of this.#workers.keys()) this.#deps.prober.release(uid);
    if (stopPods) await this.#stopPods();
    await Promise.race([this.#deps.events.flush(), delay(2000)]);
  }

  /** Ends all pods at once, without asking: the agent's next start runs them again. */
  async #stopPods(): Promise<void> {
    // The runtime is asked: an agent that is stopped early has not seen yet what its predecessor has left.
    const sandboxes = await this.#deps.cri.listPodSandboxes();
    const uids = new Set([...this.#workers.keys(), ...sandboxes.flatMap(({ labels }) => labels[LABELS.podUid] ?? [])]);
    await Promise.all([...uids].map((uid) => this.#stopPod(uid)));
  }

  /** A pod that does not go keeps no other from going. */
  async #stopPod(uid: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#removePod(uid);
      } catch (error) {
        // Somebody else may be at it: a worker that was ending the pod goes on.
        if (tries === STOP_TRIES) return this.#deps.log.error('a pod could not be stopped', { uid, error });
        await delay(STOP_RETRY_MS);
      }
    }
  }

  async #removePod(uid: string): Promise<void> {
    const { cri, volumes } = this.#deps;
    await removeFromRuntime(cri, await readPodRuntime(cri, uid));
    await volumes.tearDown(uid);
    removePodCgroup(uid);
  }

  #worker(namespace: string, name: string, uid: string | undefined): PodWorker {
    for (const worker of this.#workers.values()) {
      const { metadata } = worker.pod;
      if (metadata.namespace !== namespace || metadata.name !== name) continue;
      if (uid === undefined || uid === '' || metadata.uid === uid) return worker;
    }
    throw notFound(PODS, name);
  }

  #onlyContainer(pod: Pod): string {
    const containers = pod.spec?.containers ?? [];
    const wanted = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
    if (containers.length === 1) return containers[0]?.name ?? '';
    if (wanted !== undefined && containers.some(({ name }) => name === wanted)) return wanted;
    const names = (list: { name?: string }[]): string => `[${list.map(({ name }) => name).join(' ')}]`;
    const init = pod.spec?.initContainers ?? [];
    const also = init.length > 0 ? ` or one of the init containers: ${names(init)}` : '';
    throw badRequest(
      `a container name must be specified for pod ${pod.metadata.name}, choose one of: ${names(containers)}${also}`,
    );
  }

  #onPod({ type, object }: Change<Pod>): void {
    const uid = object.metadata.uid ?? '';
    const worker = this.#workers.get(uid);
    if (type === 'DELETED') worker?.remove(object);
    else if (worker !== undefined) worker.update(object);
    else this.#workers.set(uid, new PodWorker(this.#deps, object, (finished) => this.#finished(finished)));
  }

  #finished(uid: string): void {
    this.#deps.log.debug('pod finished', { uid });
    this.#retryResizes();
    // The worker stays while the API server has the pod (a finalizer holds it), so that nothing starts it again.
    if (!this.#pods.list().some(({ metadata }) => metadata.uid === uid)) this.#workers.delete(uid);
  }

  async #networkProblem(): Promise<string | undefined> {
    try {
      const conditions = await this.#deps.cri.status();
      const network = findCondition(conditions, 'NetworkReady');
      if (network === undefined || network.status) return undefined;
      return `container runtime network not ready: NetworkReady=false reason:${network.reason} message:${network.message}`;
    } catch (error) {
      return `container runtime is down: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  async #problem(): Promise<string | undefined> {
    const runtime = this.#pleg?.problem;
    return runtime === undefined ? this.#networkProblem() : `container runtime is down: ${runtime}`;
  }

  async #keepHouse(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#tidy();
      } catch (error) {
        this.#deps.log.warn('housekeeping failed, trying again', { error });
      }
      await delay(HOUSEKEEPING_MS, signal);
    }
  }

  /** Logs that have grown, and what is left of pods that the API server does not know. */
  async #tidy(): Promise<void> {
    const { cri, volumes, log } = this.#deps;
    for (const worker of this.#workers.values()) {
      for (const attempts of worker.runtime.containers.values()) {
        const newest = attempts[0];
        if (newest === undefined) continue;
        if (newest.state === 'CONTAINER_RUNNING') await rotateLog(cri, newest);
        await pruneLogs(newest.logPath, new Set(attempts.map(restartCount)));
      }
    }
    const known = new Set(this.#pods.list().map(({ metadata }) => metadata.uid ?? ''));
    for (const uid of this.#workers.keys()) {
      const worker = this.#workers.get(uid);
      if (!known.has(uid) && worker?.runtime.sandboxes.length === 0) this.#workers.delete(uid);
    }
    const present = new Set([...(this.#pleg?.uids() ?? []), ...(await volumes.present())]);
    const left = [...present].filter((uid) => !known.has(uid) && !this.#workers.has(uid));
    // One that does not go keeps no other from going.
    await Promise.all(
      left.map(async (uid) => {
        log.info('cleaning up a pod that is no more', { uid });
        await this.#removePod(uid).catch((error: unknown) => log.warn('it does not go, trying again', { uid, error }));
      }),
    );
  }
}
