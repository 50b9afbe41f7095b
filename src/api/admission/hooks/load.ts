/** Webhooks and policies as an isolate keeps them: each read, and made into what it does, once for each version of it. */
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type { HookFact } from '../../../durable-objects/cluster-rpc.ts';
import type { Requester } from '../../context.ts';
import { decodeText } from '../../registry/encode.ts';

/** Whatever their clusters. */
const MOST_KEPT = 1000;

export class HookCache<T> {
  private readonly kept = new Map<string, { resourceVersion: number; value: T }>();
  private readonly make: (object: KubeObject) => T;

  /** `make` works out what an object does. */
  constructor(make: (object: KubeObject) => T) {
    this.make = make;
  }

  /** What the object of a fact does, as of then or later; undefined when it has gone. At once when the isolate has it. */
  get(context: Requester, fact: HookFact): T | undefined | Promise<T | undefined> {
    const known = this.kept.get(keyOf(context, fact));
    return known !== undefined && known.resourceVersion >= fact.resourceVersion
      ? known.value
      : this.load(context, fact);
  }

  private async load(context: Requester, fact: HookFact): Promise<T | undefined> {
    const key = keyOf(context, fact);
    const text = await context.around.store(context.info.cluster, fact.id).get(fact.name);
    this.kept.delete(key);
    if (text === null) return undefined;
    const object = decodeText(text);
    const value = this.make(object);
    if (this.kept.size >= MOST_KEPT) this.kept.delete(this.kept.keys().next().value as string);
    this.kept.set(key, { resourceVersion: Number(object.metadata.resourceVersion), value });
    return value;
  }
}

const keyOf = ({ info }: Requester, { id, name }: HookFact): string => `${info.cluster} ${id} ${name}`;
