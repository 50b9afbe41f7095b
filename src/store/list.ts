/** Lists: consistent at one resourceVersion, across pages too. */
import { badRequest, expired, failure, invalidObject, StatusError } from '../apimachinery/errors.ts';
import { forbiddenField, notSupported } from '../apimachinery/field.ts';
import type { JsonObject } from '../apimachinery/meta.ts';
import type { Backend, LabelPair } from './backend.ts';
import { type ContinueToken, decodeContinue, encodeContinue, NEWEST } from './continue-token.ts';
import { rewind } from './history.ts';
import { isSelective, labelOf, selection } from './selection.ts';
import type { ListKind, ListPage, ListQuery, Row } from './types.ts';

const CHUNK = 500;

export interface Versions {
  current: number;
  /** States older than this cannot be read any more. */
  floor: number;
  /** Of now, as continue tokens have it. */
  period: number;
}

/** The end of a key range with a prefix: no character of a key sorts above this. */
export const endOf = (prefix: string): string => `${prefix}\uffff`;
/** The smallest key above another. */
const above = (key: string): string => `${key}\u0000`;

/** `metadata` of a list. */
export function listMeta(page: ListPage): JsonObject {
  return {
    resourceVersion: String(page.resourceVersion),
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remainingItemCount === undefined ? {} : { remainingItemCount: page.remainingItemCount }),
  };
}

const utf8 = new TextEncoder();

/** A page as the bytes of a JSON body. */
export function listBody(page: ListPage, { kind, apiVersion, typed }: ListKind): Uint8Array {
  // Unstructured lists always say where they go on.
  const meta = typed ? { continue: '', ...listMeta(page) } : listMeta(page);
  const metadata = JSON.stringify(meta);
  return utf8.encode(
    `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${metadata},"items":[${page.items}]}\n`,
  );
}

/** The page that a query asks for, with each text in the form that is asked for. Throws a StatusError for versions and tokens that cannot be served. */
export function list(
  backend: Backend,
  query: ListQuery,
  versions: Versions,
  form: (text: string) => string = (text) => text,
): ListPage {
  const { at, after } = position(query, versions);
  const { prefix, limit = Number.POSITIVE_INFINITY } = query;
  const then = at < versions.current ? rewind(backend, at, prefix) : new Map<string, Row | undefined>();
  const selects = selection(query);
  const texts: string[] = [];
  let last = '';
  let more = false;
  const from = after === '' ? prefix : above(after);
  for (const row of rows(backend, from, endOf(prefix), then, limit, labelOf(query))) {
    if (!selects(row)) continue;
    if (texts.length === limit) {
      more = true;
      break;
    }
    texts.push(form(row.text));
    last = row.key;
  }
  const page: ListPage = { items: texts.join(','), count: texts.length, resourceVersion: at };
  if (more) {
    page.continue = encodeContinue({ resourceVersion: at, after: last, period: versions.period });
    if (!isSelective(query)) page.remainingItemCount = remaining(backend, last, prefix, then);
  }
  return page;
}

function position(query: ListQuery, versions: Versions): { at: number; after: string } {
  const { current, floor } = versions;
  const { resourceVersion = '', resourceVersionMatch = '', continue: token = '' } = query;
  const version = parseVersion(resourceVersion);
  if (token !== '') {
    if (version !== 0) throw badRequest('specifying resource version is not allowed when using continue');
    return resume(decodeContinue(token), versions);
  }
  checkMatch(resourceVersion, resourceVersionMatch);
  if (version > current) throw tooLarge(version, current);
  if (resourceVersionMatch !== 'Exact') return { at: current, after: '' };
  if (version < floor) throw expired(`The resourceVersion for the provided list is too old.`);
  return { at: version, after: '' };
}

function resume({ resourceVersion, after, period }: ContinueToken, versions: Versions): { at: number; after: string } {
  const { current, floor } = versions;
  if (resourceVersion === NEWEST) return { at: current, after };
  if (resourceVersion > current) throw badRequest('continue key is not valid');
  if (resourceVersion >= floor && period >= versions.period - 1) return { at: resourceVersion, after };
  const error = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  error.status.metadata = { continue: encodeContinue({ resourceVersion: NEWEST, after, period: versions.period }) };
  throw error;
}

/** The largest that Go's uint64 holds. */
const MAX_VERSION = 2n ** 64n - 1n;

/** A resourceVersion as clients send it; '' is 0. Throws BadRequest for what is no number. */
export function parseVersion(text: string): number {
  if (text === '') return 0;
  const why = !/^\d+$/.test(text) ? 'invalid syntax' : BigInt(text) > MAX_VERSION ? 'value out of range' : undefined;
  if (why === undefined) return Number(text);
  const value = JSON.stringify(text);
  const parsing = `strconv.ParseUint: parsing ${value}: ${why}`;
  throw badRequest(`invalid resource version: resourceVersion: Invalid value: ${value}: ${parsing}`);
}

function checkMatch(resourceVersion: string, match: string): void {
  if (match === '') return;
  const field = 'resourceVersionMatch';
  const options = { group: 'meta.k8s.io', kind: 'ListOptions' };
  if (resourceVersion === '') {
    const why = 'resourceVersionMatch is forbidden unless resourceVersion is provided';
    throw invalidObject(options, '', [forbiddenField(field, why)]);
  }
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    throw invalidObject(options, '', [notSupported(field, match, ['Exact', 'NotOlderThan', ''])]);
  }
  if (match === 'Exact' && resourceVersion === '0') {
    const why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
    throw invalidObject(options, '', [forbiddenField(field, why)]);
  }
}

/** 504: a version that is still to come. */
export function tooLarge(version: number, current: number): StatusError {
  return new StatusError(
    failure(504, 'Timeout', `Timeout: Too large resource version: ${version}, current: ${current}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    }),
  );
}

/** Rows in order of their keys, as they were: today's rows, but for what has changed since. */
function* rows(
  backend: Backend,
  from: string,
  to: string,
  then: ReadonlyMap<string, Row | undefined>,
  limit: number,
  label: LabelPair | undefined,
): Generator<Row> {
  const past = [...then.entries()]
    .filter(([key, row]) => row !== undefined && key >= from && key < to)
    .map(([, row]) => row as Row)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  let nextPast = 0;
  let at = from;
  for (let size = Math.min(limit + 1, CHUNK); ; size = CHUNK) {
    const chunk = backend.range(at, to, size, label);
    for (const row of chunk) {
      while (nextPast < past.length && (past[nextPast] as Row).key < row.key) yield past[nextPast++] as Row;
      if (!then.has(row.key)) yield row;
    }
    if (chunk.length < size) break;
    at = above((chunk.at(-1) as Row).key);
  }
  while (nextPast < past.length) yield past[nextPast++] as Row;
}

function remaining(backend: Backend, last: string, prefix: string, then: ReadonlyMap<string, Row | undefined>): number {
  let count = backend.count(above(last), endOf(prefix));
  for (const [key, row] of then) {
    if (key <= last) continue;
    count += (row === undefined ? 0 : 1) - (backend.get(key) === undefined ? 0 : 1);
  }
  return count;
}
