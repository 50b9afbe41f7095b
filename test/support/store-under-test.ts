/** A store as its cases see it, whatever database is below: calls, watches, and a restart that forgets all that is only in memory. */
import type { ResourceStoreRpc } from '../../src/durable-objects/rpc.ts';
import type { WatchQuery } from '../../src/store/types.ts';

export type StoreCalls = Pick<
  ResourceStoreRpc,
  'get' | 'getMany' | 'create' | 'list' | 'listBody' | 'change' | 'changeMany' | 'deleteCollection' | 'changesSince'
>;

export interface WatchEvent {
  type: string;
  object: {
    kind: string;
    code?: number;
    reason?: string;
    message?: string;
    metadata: {
      name?: string;
      resourceVersion?: string;
      labels?: Record<string, string>;
      annotations?: Record<string, string>;
    };
    data?: Record<string, string>;
  };
}

/** The events of one watch. */
export interface Watcher {
  /** The next events; throws when they do not come. */
  take(count: number): Promise<WatchEvent[]>;
  /** What has come and was not taken. */
  left(): WatchEvent[];
  /** Resolves when the store has ended the watch. */
  closed: Promise<void>;
  /** The client goes away. */
  leave(): Promise<void>;
}

export interface StoreUnderTest {
  calls: StoreCalls;
  watch(query: Partial<WatchQuery>): Promise<Watcher>;
  /** Forgets all history but for the newest changes. */
  compact(keep: number): Promise<void>;
  watchers(): Promise<number>;
  /** What an eviction does: the database and the open watches stay, everything else goes. */
  restart(): Promise<void>;
}

/** Opens an empty store of a core resource. */
export type OpenStore = (resource: 'configmaps' | 'pods') => Promise<StoreUnderTest>;

/** Collects what a store sends, for those who wait for it. */
export class Inbox implements Omit<Watcher, 'leave'> {
  readonly closed: Promise<void>;
  private readonly events: WatchEvent[] = [];
  private wake: (() => void) | undefined;
  /** Resolves `closed`. */
  readonly end: () => void;

  constructor() {
    let end = (): void => {};
    this.closed = new Promise((resolve) => {
      end = resolve;
    });
    this.end = end;
  }

  /** Bytes of one or more events. */
  put(bytes: ArrayBuffer | Uint8Array): void {
    const lines = new TextDecoder().decode(bytes).split('\n');
    for (const line of lines) if (line !== '') this.events.push(JSON.parse(line) as WatchEvent);
    this.wake?.();
  }

  left(): WatchEvent[] {
    return this.events;
  }

  async take(count: number): Promise<WatchEvent[]> {
    let late: ReturnType<typeof setTimeout> | null = null;
    const tooLate = new Promise<never>((_, reject) => {
      const complain = () =>
        reject(new Error(`${count} events were expected, these came: ${JSON.stringify(this.events)}`));
      late = setTimeout(complain, 20_000);
    });
    while (this.events.length < count) {
      const more = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      await Promise.race([more, tooLate]);
    }
    clearTimeout(late);
    return this.events.splice(0, count);
  }
}

/** The store with a restart before everything that is asked of it. */
export function restarting(store: StoreUnderTest): StoreUnderTest {
  const calls = new Proxy(store.calls, {
    get(target, name: keyof StoreCalls) {
      return async (...args: never[]) => {
        await store.restart();
        // A stub's methods are looked up as they are called.
        return (target as unknown as Record<string, (...args: never[]) => unknown>)[name]?.(...args);
      };
    },
  });
  return {
    ...store,
    calls,
    async watch(query) {
      await store.restart();
      return store.watch(query);
    },
    compact: (keep) => store.compact(keep),
    watchers: () => store.watchers(),
    restart: () => store.restart(),
  };
}
