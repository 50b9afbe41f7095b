/** Whether the objects that a token is bound to are there still. An isolate asks once a second at most, and forgets what it changes itself. */
import type { ResourceId } from '../../apimachinery/client.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { decodeText } from '../registry/encode.ts';

/** Text of an object by store and key; null where there is none. */
export type Lookup = (id: ResourceId, key: string) => Promise<string | null>;

/** An object that a token dies with. */
export interface BoundObject {
  id: ResourceId;
  key: string;
  uid: string;
  /** What upstream says of a token whose object has gone. */
  gone: string;
}

interface Fact {
  uid: string;
  /** When it counts as gone, in ms since the epoch. */
  until: number;
  at: number;
}

const MAX_AGE = 1000;
const MAX_FACTS = 10_000;
/** What is being deleted may finish its work: upstream's leeway. */
const LEEWAY = 60_000;

export class BoundObjects {
  private readonly facts = new Map<string, Fact>();

  /** Why a token that is bound to all of these is dead; undefined where it lives. At once where all is known. */
  problem(
    cluster: string,
    objects: readonly BoundObject[],
    lookup: Lookup,
  ): string | undefined | Promise<string | undefined> {
    const now = Date.now();
    for (const object of objects) {
      const fact = this.facts.get(`${cluster} ${object.id} ${object.key}`);
      if (fact === undefined || now - fact.at >= MAX_AGE) return this.look(cluster, objects, lookup);
      const why = judge(object, fact, now);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** Forgets one object after this isolate has written it, or all of a store. */
  forget(cluster: string, id: ResourceId, key: string | undefined): void {
    if (key !== undefined) this.facts.delete(`${cluster} ${id} ${key}`);
    else for (const name of this.facts.keys()) if (name.startsWith(`${cluster} ${id} `)) this.facts.delete(name);
  }

  private async look(cluster: string, objects: readonly BoundObject[], lookup: Lookup): Promise<string | undefined> {
    const at = Date.now();
    const texts = await Promise.all(objects.map(({ id, key }) => lookup(id, key)));
    for (const [index, object] of objects.entries()) {
      const text = texts[index] ?? null;
      // What is not there is not kept: it may be made at any time.
      if (text === null) return object.gone;
      const { uid = '', deletionTimestamp } = decodeText<KubeObject>(text).metadata;
      const until = deletionTimestamp === undefined ? Number.POSITIVE_INFINITY : Date.parse(deletionTimestamp) + LEEWAY;
      const fact = { uid, until, at };
      if (this.facts.size >= MAX_FACTS) this.facts.clear();
      this.facts.set(`${cluster} ${object.id} ${object.key}`, fact);
      const why = judge(object, fact, at);
      if (why !== undefined) return why;
    }
    return undefined;
  }
}

function judge({ uid, gone }: BoundObject, fact: Fact, now: number): string | undefined {
  return fact.uid !== uid || fact.until < now ? gone : undefined;
}
