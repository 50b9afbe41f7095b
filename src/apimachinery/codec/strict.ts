/** What strict decoding complains of, after `sigs.k8s.io/json`: unknown and duplicate fields in the order of the document. */
import type { Field, MessageSchema } from '../schema/index.ts';
import { hasDuplicates } from './duplicates.ts';
import { Entries, type Ordered, parseOrdered } from './ordered.ts';

/** No more complaints than this are made, nor more characters of paths. */
const MAX_NAMED = 100;
const MAX_NAMED_LENGTH = 10_000;

/**
 * `unknown field "spec.foo"`, `duplicate field "spec.paused"`, each once. What stands in an unknown field is not looked at, nor what
 * reads itself in Go, as parts of JSON schemas do. Without a schema every field is known.
 */
export function strictProblems(value: Ordered, schema: MessageSchema | undefined, path = ''): string[] {
  const complaints = new Complaints();
  if (schema === undefined) anything(value, path, complaints);
  else message(value, schema, path, complaints);
  return [...complaints.list];
}

/** What strict decoding complains of in a JSON text of which only the keys that stand twice are of interest. */
export function duplicateFields(text: string): string[] {
  return hasDuplicates(text) ? strictProblems(parseOrdered(text), undefined) : [];
}

/** `strict decoding error: unknown field "spec.foo", duplicate field "spec.paused"`. */
export function strictError(problems: readonly string[]): string {
  return `strict decoding error: ${problems.join(', ')}`;
}

class Complaints {
  readonly list = new Set<string>();
  private named = 0;

  add(what: 'unknown' | 'duplicate', path: string): void {
    if (this.list.size >= MAX_NAMED || this.named >= MAX_NAMED_LENGTH) return;
    this.named += path.length;
    this.list.add(`${what} field ${JSON.stringify(path)}`);
  }
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

function message(value: Ordered, { fields, hasTypeMeta }: MessageSchema, path: string, complaints: Complaints): void {
  const isKnown = (key: string): boolean =>
    fields.has(key) || (hasTypeMeta && (key === 'kind' || key === 'apiVersion'));
  entries(value, path, complaints, isKnown, (key, entry, at) => {
    const known = fields.get(key);
    if (known !== undefined) field(entry, known, at, complaints);
  });
}

function field(value: Ordered, { shape, message: inner }: Field, path: string, complaints: Complaints): void {
  const one = (entry: Ordered, at: string): void => {
    if (inner !== undefined && inner.special === undefined) message(entry, inner, at, complaints);
  };
  if (shape === 'one') one(value, path);
  else if (shape !== 'repeated') entries(value, path, complaints, everything, (_, entry, at) => one(entry, at));
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) one(item, `${path}[${i}]`);
}

function anything(value: Ordered, path: string, complaints: Complaints): void {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) anything(item, `${path}[${i}]`, complaints);
  } else entries(value, path, complaints, everything, (_, entry, at) => anything(entry, at, complaints));
}

const everything = (): boolean => true;

/** Goes through the known keys of an object. */
function entries(
  value: Ordered,
  path: string,
  complaints: Complaints,
  isKnown: (key: string) => boolean,
  visit: (key: string, value: Ordered, path: string) => void,
): void {
  if (!(value instanceof Entries)) return;
  const seen = new Set<string>();
  for (const [key, entry] of value.list) {
    const at = join(path, key);
    if (!isKnown(key)) {
      complaints.add('unknown', at);
      continue;
    }
    if (seen.has(key)) complaints.add('duplicate', at);
    seen.add(key);
    visit(key, entry, at);
  }
}
