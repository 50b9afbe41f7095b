/** Events as kube-controller-manager records them: repeated ones are counted, floods are combined, then dropped. */
import type { Client } from '../apimachinery/client.ts';
import { isReason } from '../apimachinery/errors.ts';
import { type KubeObject, now } from '../apimachinery/meta.ts';
import type { Event } from '../generated/types/core.v1.ts';
import { forEachLimited } from './objects.ts';

const SIMILAR_LIMIT = 10;
const SIMILAR_WINDOW_MS = 600_000;
const BURST = 25;
const REFILL_MS = 300_000;
const REMEMBERED = 4096;
const PARALLEL = 64;
/** Of a message, in UTF-16 units; the API allows 1024 bytes. */
const MESSAGE_LIMIT = 1000;

interface Recorded {
  name: string;
  count: number;
}

interface Similar {
  since: number;
  messages: Set<string>;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** A map that forgets the oldest entries. */
class Remembered<V> {
  readonly #entries = new Map<string, V>();

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > REMEMBERED) this.#entries.delete(this.#entries.keys().next().value as string);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

/** Remembers across reconciles what was recorded; one for all controllers. After a restart counting begins anew, as upstream. */
export class EventMemory {
  readonly recorded = new Remembered<Recorded>();
  readonly similar = new Remembered<Similar>();
  readonly buckets = new Remembered<Bucket>();
  #serial = 0;

  /** Unique within a name: nanoseconds since the epoch, in hex. */
  suffix(at: number): string {
    this.#serial = (this.#serial + 1) % 1_000_000;
    return (BigInt(at) * 1_000_000n + BigInt(this.#serial)).toString(16);
  }
}

/** Records events of one controller; {@link EventRecorder.flush} writes them, without failing anybody. */
export class EventRecorder {
  readonly #client: Client;
  readonly #component: string;
  readonly #memory: EventMemory;
  readonly #now: () => number;
  /** Writes by the identity of their event. */
  #pending = new Map<string, (() => Promise<void>)[]>();

  constructor(client: Client, component: string, memory: EventMemory, clock: () => number = Date.now) {
    this.#client = client;
    this.#component = component;
    this.#memory = memory;
    this.#now = clock;
  }

  /** Records an event about `object`, whose `kind` and `apiVersion` must be set or given. */
  record(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const at = this.#now();
    const { uid = '', name, namespace = 'default' } = object.metadata;
    const about = `${this.#component}\n${object.kind}\n${namespace}\n${name}\n${uid}`;
    let text = message.slice(0, MESSAGE_LIMIT);

    const group = `${about}\n${type}\n${reason}`;
    let similar = this.#memory.similar.get(group);
    if (similar === undefined || at - similar.since > SIMILAR_WINDOW_MS) similar = { since: at, messages: new Set() };
    if (similar.messages.size < SIMILAR_LIMIT) similar.messages.add(text);
    this.#memory.similar.set(group, similar);
    const combined = similar.messages.size >= SIMILAR_LIMIT;
    const identity = combined ? `${group}\n` : `${group}\n${text}`;
    if (combined) text = `(combined from similar events): ${text}`;

    const bucket = this.#memory.buckets.get(about) ?? { tokens: BURST, at };
    const tokens = Math.min(BURST, bucket.tokens + (at - bucket.at) / REFILL_MS);
    this.#memory.buckets.set(about, { tokens: tokens < 1 ? tokens : tokens - 1, at });
    if (tokens < 1) return;

    const writes = this.#pending.get(identity) ?? [];
    writes.push(() => this.#write(object, type, reason, text, identity, at));
    this.#pending.set(identity, writes);
  }

  /** Writes what was recorded. A failure loses the event and is not the caller's. */
  async flush(): Promise<void> {
    if (this.#pending.size === 0) return;
    const pending = [...this.#pending.values()];
    this.#pending = new Map();
    await forEachLimited(pending, PARALLEL, async (writes) => {
      // In order, so that a repetition counts up the event that was written just before it.
      for (const write of writes) {
        try {
          await write();
        } catch (error) {
          // A namespace that is being deleted takes no events.
          if (!isReason(error, 'Forbidden') && !isReason(error, 'NotFound')) console.warn('event lost:', String(error));
        }
      }
    });
  }

  async #write(
    object: KubeObject,
    type: string,
    reason: string,
    message: string,
    identity: string,
    at: number,
  ): Promise<void> {
    const { uid, name, namespace, resourceVersion } = object.metadata;
    const eventNamespace = namespace ?? 'default';
    const timestamp = now(at);
    const before = this.#memory.recorded.get(identity);
    if (before !== undefined) {
      const count = before.count + 1;
      this.#memory.recorded.set(identity, { ...before, count });
      try {
        await this.#client.patch('core/events', eventNamespace, before.name, 'merge', {
          count,
          message,
          lastTimestamp: timestamp,
        });
        return;
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error;
      }
    }
    const event: Event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${this.#memory.suffix(at)}`, namespace: eventNamespace },
      involvedObject: { apiVersion: object.apiVersion, kind: object.kind, namespace, name, uid, resourceVersion },
      reason,
      message,
      type,
      count: 1,
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      source: { component: this.#component },
      reportingComponent: this.#component,
      reportingInstance: '',
    };
    await this.#client.create('core/events', event);
    this.#memory.recorded.set(identity, { name: event.metadata.name, count: 1 });
  }
}
