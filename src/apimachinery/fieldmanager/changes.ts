/** What a request changes of an object, in every version that its managers write in. */
import type { Json } from '../meta.ts';
import { type Comparison, compare, excluding } from './compare.ts';
import { EMPTY, type FieldSet, union } from './fieldset.ts';
import type { Manager } from './managers.ts';
import type { MapType } from './types.ts';
import type { Reading } from './value.ts';

/** What is written, as far as owning its fields goes. */
export interface Subject {
  type: MapType;
  apiVersion: string;
  /** Empty for the object itself. */
  subresource: string;
  /** What the strategy does not let this request change (upstream's `GetResetFields`). */
  resetFields: FieldSet;
  /**
   * The object as another version writes it, in which a manager's fields are; undefined for a version that is not served any more.
   * Without it, what is written in other versions stays as it is.
   */
  inVersion?(object: Json, apiVersion: string): { type: MapType; object: Json } | undefined;
}

interface Change {
  /** Added or modified. */
  changed: FieldSet;
  removed: FieldSet;
}

const NO_CHANGE: Change = { changed: EMPTY, removed: EMPTY };

/** What changed between two states, in the versions that managers write in. */
export class Changes {
  readonly own: Change;
  private readonly subject: Subject;
  private readonly live: Json;
  private readonly next: Json;
  private readonly others = new Map<string, Change | undefined>();

  /** `reading`: of the next state. */
  constructor(subject: Subject, live: Json, next: Json, reading: Reading) {
    this.subject = subject;
    this.live = live;
    this.next = next;
    this.own = changeOf(excluding(compare(subject.type, live, next, reading), subject.resetFields));
  }

  /** In the manager's version; undefined when there is no such version any more. */
  of({ apiVersion }: Manager): Change | undefined {
    const { subject, others } = this;
    if (apiVersion === subject.apiVersion) return this.own;
    if (subject.inVersion === undefined) return NO_CHANGE;
    if (!others.has(apiVersion)) {
      const before = subject.inVersion(this.live, apiVersion);
      const after = subject.inVersion(this.next, apiVersion);
      const known = before !== undefined && after !== undefined;
      others.set(apiVersion, known ? changeOf(compare(before.type, before.object, after.object)) : undefined);
    }
    return others.get(apiVersion);
  }
}

const changeOf = ({ added, modified, removed }: Comparison): Change => ({ changed: union(added, modified), removed });
