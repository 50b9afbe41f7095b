/** Notices when containers or sandboxes change: by the runtime's events, and by listing once a second in case one was lost. */
import { delay } from '../informer.ts';
import type { CriClient } from '../runtime/cri.ts';
import { watchTasks } from '../runtime/events.ts';
import type { Log, Running } from '../types.ts';
import { LABELS } from './pod-runtime.ts';

const RELIST_MS = 1000;
/** Events come in bursts: one look answers all of them. */
const SETTLE_MS = 10;

/** Calls `onChange` with the uid of every pod whose containers are not as they were; `health` says whether the runtime answers. */
export class Pleg implements Running {
  readonly #cri: CriClient;
  readonly #log: Log;
  readonly #onChange: (uid: string) => void;
  readonly #abort = new AbortController();
  readonly #tasks: Running;
  #seen = new Map<string, string>();
  #wake = new AbortController();
  #done: Promise<void>;
  #problem: string | undefined;

  constructor(cri: CriClient, log: Log, onChange: (uid: string) => void) {
    this.#cri = cri;
    this.#log = log;
    this.#onChange = onChange;
    this.#tasks = watchTasks(cri.socket, () => this.#wake.abort());
    this.#done = this.#run();
  }

  /** Why the runtime cannot be asked; undefined when it answers. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The uids of all pods that the runtime knows. */
  uids(): string[] {
    return [...this.#seen.keys()];
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake.abort();
    await this.#tasks.stop();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        await this.#relist();
        this.#problem = undefined;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (this.#problem === undefined) this.#log.warn('the container runtime does not answer', { error: why });
        this.#problem = why;
      }
      await delay(RELIST_MS, this.#wake.signal);
      if (this.#wake.signal.aborted) await delay(SETTLE_MS);
      this.#wake = new AbortController();
    }
  }

  async #relist(): Promise<void> {
    const [sandboxes, containers] = await Promise.all([this.#cri.listPodSandboxes(), this.#cri.listContainers()]);
    const states = new Map<string, string[]>();
    for (const { id, state, labels } of [...sandboxes, ...containers]) {
      const uid = labels[LABELS.podUid];
      if (uid === undefined) continue;
      const list = states.get(uid) ?? [];
      list.push(`${id} ${state}`);
      states.set(uid, list);
    }
    const seen = new Map([...states].map(([uid, list]): [string, string] => [uid, list.sort().join('\n')]));
    const before = this.#seen;
    this.#seen = seen;
    for (const uid of new Set([...before.keys(), ...seen.keys()])) {
      if (before.get(uid) !== seen.get(uid)) this.#onChange(uid);
    }
  }
}
