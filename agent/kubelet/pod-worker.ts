/** Brings one pod to where its spec wants it, step by step, and tells the API server how it is. One step at a time per pod. */
import { join } from 'node:path';
import type { Pod, PodStatus } from '../../src/generated/types/core.v1.ts';
import { type Actions, computeActions } from './actions.ts';
import { removePodCgroup } from './cgroups.ts';
import type { PodFolders } from './container-config.ts';
import { killContainer } from './container-runner.ts';
import type { KubeletDeps } from './deps.ts';
import { rpcText } from './images.ts';
import { activeLeft, gracePeriod, isTerminalPhase, podFullName } from './pod.ts';
import { cleanUp, forget } from './pod-cleaner.ts';
import { type PodRuntime, readPodRuntime, readySandbox, sandboxIps } from './pod-runtime.ts';
import { PodStopper, prune } from './pod-stopper.ts';
import { mountVolumes } from './pod-volumes.ts';
import { PodResizer } from './resize.ts';
import { createSandbox, RetryError } from './sandbox.ts';
import { startContainers } from './start-containers.ts';
import { podStatus, rejectedStatus } from './status.ts';
import { isNewer, writeStatus } from './status-manager.ts';
import { terminationMessage } from './termination-message.ts';
import { Waiting } from './waiting.ts';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
/** Tokens are renewed and forgotten errors tried again at least this often. */
const RESYNC_MS = 60_000;
const FORCED_GRACE_SECONDS = 2;
const DEADLINE_MESSAGE = 'Pod was active on the node longer than the specified deadline';

export class PodWorker {
  readonly #deps: KubeletDeps;
  readonly #uid: string;
  readonly #folders: PodFolders;
  readonly #resizer: PodResizer;
  readonly #onFinished: (uid: string) => void;
  readonly #waiting = new Waiting();
  readonly #messages = new Map<string, string>();
  #pod: Pod;
  #runtime: PodRuntime = { sandboxes: [], containers: new Map() };
  #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #dirty = false;
  #stopped = false;
  #gone = false;
  #cleaned = false;
  #admitted = false;
  #failure: { reason: string; message: string } | undefined;
  #stopper: PodStopper | undefined;
  #retryMs = FIRST_RETRY_MS;

  /** `onFinished` is called when nothing of the pod is left, here and at the API server. */
  constructor(deps: KubeletDeps, pod: Pod, onFinished: (uid: string) => void) {
    this.#deps = deps;
    this.#pod = pod;
    this.#uid = pod.metadata.uid ?? '';
    this.#onFinished = onFinished;
    const name = `${pod.metadata.namespace}_${pod.metadata.name}_${this.#uid}`;
    this.#folders = {
      pod: deps.volumes.podDir(this.#uid),
      logs: join(deps.podLogs, name),
      seccomp: deps.seccompDir,
    };
    this.#resizer = new PodResizer(deps.resize, this.#folders.pod);
    this.wake();
  }

  /** The pod with its newest status. */
  get pod(): Pod {
    return this.#pod;
  }

  /** The pod with the resources that it has been given. */
  get given(): Pod {
    return this.#resizer.given(this.#pod);
  }

  /** Whether a resize waits for room on the node. */
  get deferred(): boolean {
    return this.#resizer.deferred;
  }

  /** What the runtime had of the pod when last asked. */
  get runtime(): PodRuntime {
    return this.#runtime;
  }

  get logFolder(): string {
    return this.#folders.logs;
  }

  /** The API server has a newer version of the pod. */
  update(pod: Pod): void {
    if (!isNewer(pod, this.#pod)) return;
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) {
      this.#abort.abort();
      this.#stopper?.shorten(Math.max(1, gracePeriod(pod)));
    }
    this.wake();
  }

  /** The API server has the pod no more. */
  remove(last: Pod): void {
    this.#gone = true;
    this.#pod = last;
    this.#abort.abort();
    // Whoever takes the object away before the containers have stopped does not want to wait for them.
    this.#stopper?.shorten(FORCED_GRACE_SECONDS);
    this.wake();
  }

  /** Something may have changed: look again. */
  wake(): void {
    if (this.#stopped) return;
    this.#dirty = true;
    if (this.#stopper !== undefined) this.#report(true).catch(() => {});
    this.#running ??= this.#loop().finally(() => {
      this.#running = undefined;
      if (this.#dirty && !this.#stopped) this.wake();
    });
  }

  /** Lets the pod be, as it is; resolves when the step under way is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#abort.abort();
    if (this.#stopper === undefined) await this.#running;
  }

  async #loop(): Promise<void> {
    while (this.#dirty && !this.#stopped) {
      this.#dirty = false;
      clearTimeout(this.#timer);
      let next = RESYNC_MS;
      try {
        next = await this.#sync();
        this.#retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (!(error instanceof RetryError) && !this.#abort.signal.aborted) {
          this.#deps.log.warn('pod sync failed, trying again', { pod: podFullName(this.#pod), error: rpcText(error) });
        }
        next = this.#retryMs;
        this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
      }
      if (!this.#cleaned) this.#timer = setTimeout(() => this.wake(), next);
    }
  }

  /** One step; answers with the milliseconds until the next one is due by itself. */
  async #sync(): Promise<number> {
    if (this.#cleaned) return RESYNC_MS;
    await this.#read();
    const pod = this.#pod;
    if (this.#gone || pod.metadata.deletionTimestamp !== undefined) return this.#delete();
    if (isTerminalPhase(pod) || this.#failure !== undefined) return this.#finish();
    const left = activeLeft(pod);
    if (left <= 0) {
      this.#failure = { reason: 'DeadlineExceeded', message: DEADLINE_MESSAGE };
      this.#deps.events.record(pod, 'Normal', 'DeadlineExceeded', DEADLINE_MESSAGE);
      return this.#finish();
    }
    if (!(await this.#admit())) return this.#reject();
    this.#deps.prober.update(pod, this.#runtime);
    const due = await this.#run();
    return Math.max(50, Math.min(due, left, RESYNC_MS));
  }

  async #read(): Promise<void> {
    const runtime = await readPodRuntime(this.#deps.cri, this.#uid);
    await prune(this.#deps.cri, runtime);
    for (const container of [...runtime.containers.values()].flat()) {
      if (container.state !== 'CONTAINER_EXITED' || this.#messages.has(container.id)) continue;
      this.#messages.set(container.id, await terminationMessage(container));
    }
    this.#runtime = runtime;
  }

  /** Pods are judged once, before anything of them runs here. */
  async #admit(): Promise<boolean> {
    if (this.#admitted || this.#runtime.sandboxes.length > 0) return true;
    const refusal = await this.#deps.admit(this.#pod);
    this.#admitted = refusal === undefined;
    this.#failure = refusal;
    if (this.#admitted) this.#resizer.admit(this.#pod);
    return this.#admitted;
  }

  async #reject(): Promise<number> {
    const { reason, message } = this.#failure ?? { reason: '', message: '' };
    this.#deps.events.record(this.#pod, 'Warning', reason, message);
    this.#failure = { reason, message: `Pod was rejected: ${message}` };
    await this.#write(rejectedStatus(this.#pod, this.#failure));
    return RESYNC_MS;
  }

  /** A pod that should run. */
  async #run(): Promise<number> {
    const pod = this.#resizer.judge(this.#pod);
    let actions = this.#actions(pod);
    if (actions.finish) return this.#finish();
    if (!this.#pod.status?.startTime || this.#resizer.isUntold(this.#pod)) await this.#report(false);
    const volumes = await this.#reporting(mountVolumes(this.#deps, pod));
    if (this.#stopped) return RESYNC_MS;
    if (actions.createSandbox) {
      await this.#reporting(createSandbox(this.#deps, pod, this.#folders, this.#runtime));
      await this.#read();
      actions = this.#actions(pod);
      await this.#report(false);
    }
    const sandbox = readySandbox(this.#runtime);
    if (sandbox === undefined) throw new Error('the pod has no sandbox');
    const ip = sandboxIps(sandbox)[0] ?? this.#deps.node.ip;
    for (const { container, id, message, gracePeriod: own } of actions.kill) {
      const grace = own ?? this.#pod.spec?.terminationGracePeriodSeconds ?? 30;
      await killContainer(this.#deps, this.#pod, container, id, ip, message, grace);
      this.#dirty = true;
    }
    const killed = new Set(actions.kill.map(({ container }) => container.name ?? ''));
    const resized = await this.#resizer.actuate(pod, this.#runtime, killed);
    const runtime = this.#runtime;
    const { signal } = this.#abort;
    const due = await startContainers(
      this.#deps,
      actions.start,
      { pod, runtime, sandbox, volumes, folders: this.#folders, signal },
      {
        started: (container) => {
          this.#resizer.started(container);
          this.#waiting.delete(container.name ?? '');
          this.#dirty = true;
        },
        waiting: (container, why) => this.#waiting.put(container.name ?? '', why),
      },
    );
    if (actions.start.length > 0) await this.#read();
    this.#resizer.settle(pod);
    this.#deps.prober.update(this.#pod, this.#runtime);
    await this.#report(false);
    return Math.min(due, resized ? RESYNC_MS : LAST_RETRY_MS);
  }

  #actions(pod: Pod): Actions {
    return computeActions(pod, this.#runtime, this.#deps.prober, this.#resizer.restarts(pod, this.#runtime));
  }

  /** A failure that has been told as an event shows in the status, too. */
  async #reporting<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof RetryError) await this.#report(false);
      throw error;
    }
  }

  /** The pod is at its end, but not deleted: its containers stay for their logs. */
  async #finish(): Promise<number> {
    this.#deps.prober.release(this.#uid);
    const left = this.#runtime.sandboxes.some(({ state }) => state === 'SANDBOX_READY');
    if (left) {
      await this.#stopAll(gracePeriod(this.#pod));
      await this.#read();
    }
    await this.#report(true);
    this.#deps.config.release(this.#uid);
    removePodCgroup(this.#uid);
    this.#deps.resize.onFreed();
    return RESYNC_MS * 10;
  }

  /** The pod is to go: stop, tell, clean up, and let the API server forget it. */
  async #delete(): Promise<number> {
    this.#deps.prober.release(this.#uid);
    await this.#stopAll(Math.max(1, gracePeriod(this.#pod)));
    await this.#read();
    if (!this.#gone) await this.#report(true);
    await cleanUp(this.#deps, this.#uid, this.#folders, this.#runtime);
    if (!this.#gone) await forget(this.#deps, this.#pod);
    this.#cleaned = true;
    this.#onFinished(this.#uid);
    return RESYNC_MS;
  }

  async #stopAll(graceSeconds: number): Promise<void> {
    this.#stopper = new PodStopper(this.#deps, this.#pod, graceSeconds);
    try {
      await this.#stopper.run(this.#runtime);
    } finally {
      this.#stopper = undefined;
    }
  }

  /** Computes the status and sends it. While containers are being stopped, asks the runtime anew. */
  async #report(terminal: boolean): Promise<void> {
    if (this.#gone) return;
    const stopping = this.#stopper !== undefined;
    if (stopping) await this.#read();
    const { prober, node } = this.#deps;
    const deleting = this.#pod.metadata.deletionTimestamp !== undefined;
    const status = podStatus({
      // What is reported as seen must have been judged.
      pod: terminal || deleting ? this.given : this.#resizer.judge(this.#pod),
      resources: (name) => this.#resizer.actuated(name),
      resize: this.#resizer.conditions,
      runtime: this.#runtime,
      nodeIp: node.ip,
      waiting: this.#waiting.states,
      messages: this.#messages,
      ready: (id) => prober.readiness(id),
      started: (id) => prober.startup(id) === true,
      terminal: terminal && !stopping,
      // Said only when the containers have stopped: a Failed pod is taken for gone.
      ...(this.#failure !== undefined && !stopping && !deleting ? { failure: this.#failure } : {}),
    });
    await this.#write(status);
  }

  async #write(status: PodStatus): Promise<void> {
    const written = await writeStatus(this.#deps.client, this.#pod, status);
    if (written === undefined) this.#gone = true;
    else if (isNewer(written, this.#pod)) this.#pod = written;
  }
}
