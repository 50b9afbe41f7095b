/** The kubelet's Events: what `kubectl describe pod` shows. Equal ones are counted, not repeated. */
import { createHash } from 'node:crypto';
import { isReason } from '../../src/apimachinery/errors.ts';
import { type KubeObject, now } from '../../src/apimachinery/meta.ts';
import type { Event, ObjectReference } from '../../src/generated/types/core.v1.ts';
import type { HttpClient } from '../client.ts';
import type { Log } from '../types.ts';

export type EventType = 'Normal' | 'Warning';

interface Known {
  name: string;
  count: number;
  tokens: number;
  refilledAt: number;
  /** The count changed while an earlier write was under way. */
  dirty: boolean;
  event: Event;
}

const MAX_KNOWN = 4096;
const MAX_QUEUED = 1000;
/** Upstream's spam filter: 25 events at once, then one every 5 minutes. */
const BURST = 25;
const REFILL_MS = 300_000;
const MAX_MESSAGE = 1024;

/** Writes events in order, in the background; what cannot be written is dropped with a word in the log. */
export class EventRecorder {
  readonly #client: HttpClient;
  readonly #nodeName: string;
  readonly #log: Log;
  readonly #known = new Map<string, Known>();
  readonly #queue: Known[] = [];
  #writing: Promise<void> | undefined;

  constructor(client: HttpClient, nodeName: string, log: Log) {
    this.#client = client;
    this.#nodeName = nodeName;
    this.#log = log;
  }

  /** An event about an object, or about the part of it at `fieldPath`. */
  record(object: KubeObject, type: EventType, reason: string, message: string, fieldPath?: string): void {
    const involvedObject: ObjectReference = {
      kind: object.kind ?? 'Pod',
      apiVersion: object.apiVersion ?? 'v1',
      name: object.metadata.name,
      uid: object.metadata.uid,
      ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
      ...(object.metadata.resourceVersion ? { resourceVersion: object.metadata.resourceVersion } : {}),
      ...(fieldPath === undefined ? {} : { fieldPath }),
    };
    const text = message.slice(0, MAX_MESSAGE);
    const key = JSON.stringify([involvedObject.uid, involvedObject.name, fieldPath, type, reason, text]);
    const at = Date.now();
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#remember(key, involvedObject, type, reason, text, at);
    } else {
      known.tokens = Math.min(BURST, known.tokens + (at - known.refilledAt) / REFILL_MS);
      known.refilledAt = at;
      if (known.tokens < 1) return;
      known.tokens--;
      known.count++;
      known.event.lastTimestamp = now(at);
      known.event.count = known.count;
    }
    if (known.dirty || this.#queue.length >= MAX_QUEUED) return;
    known.dirty = true;
    this.#queue.push(known);
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when everything recorded so far was written or dropped. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  #remember(
    key: string,
    involvedObject: ObjectReference,
    type: EventType,
    reason: string,
    message: string,
    at: number,
  ): Known {
    const hash = createHash('sha256').update(`${key}${at}`).digest('hex').slice(0, 16);
    const name = `${involvedObject.name}.${hash}`;
    const event: Event = {
      kind: 'Event',
      apiVersion: 'v1',
      metadata: { name, namespace: involvedObject.namespace ?? 'default' },
      involvedObject,
      type,
      reason,
      message,
      source: { component: 'kubelet', host: this.#nodeName },
      reportingComponent: 'kubelet',
      reportingInstance: this.#nodeName,
      firstTimestamp: now(at),
      lastTimestamp: now(at),
      count: 1,
    };
    const known: Known = { name, count: 1, tokens: BURST - 1, refilledAt: at, dirty: false, event };
    this.#known.set(key, known);
    const oldest = this.#known.keys().next();
    if (this.#known.size > MAX_KNOWN && oldest.done !== true) this.#known.delete(oldest.value);
    return known;
  }

  async #drain(): Promise<void> {
    for (let known = this.#queue.shift(); known !== undefined; known = this.#queue.shift()) {
      known.dirty = false;
      try {
        await this.#write(known);
      } catch (error) {
        this.#log.debug('event dropped', { reason: known.event.reason, error });
      }
    }
  }

  async #write({ event, name, count }: Known): Promise<void> {
    if (count > 1) {
      try {
        const patch = { count, lastTimestamp: event.lastTimestamp ?? null };
        await this.#client.patch('core/events', event.metadata.namespace ?? '', name, 'merge', patch);
        return;
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error;
      }
    }
    await this.#client.create('core/events', event);
  }
}
