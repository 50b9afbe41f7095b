/** Continue tokens: where a page ended, and at which resourceVersion. Opaque to clients. */
import { badRequest, type StatusError } from '../apimachinery/errors.ts';

const VERSION = 'meta.k8s.io/v1';

/** Instead of a resourceVersion: whatever the state is by now. */
export const NEWEST = -1;

export interface ContinueToken {
  /** {@link NEWEST}, for lists that go on after their version was compacted. */
  resourceVersion: number;
  /** The first key of the next page is above this one. */
  after: string;
  /** When the page was made, as {@link periodOf} says it. */
  period: number;
}

/** Upstream's compaction, every five minutes, makes tokens that are older than the last useless. */
const PERIOD_MS = 5 * 60_000;

/** A time in ms since the epoch, as coarse as the age of tokens matters. A token is good in its period and the next. */
export const periodOf = (now: number): number => Math.floor(now / PERIOD_MS);

/** As upstream: URL-safe base64 of JSON with a version. */
export function encodeContinue({ resourceVersion, after, period }: ContinueToken): string {
  const token = { v: VERSION, rv: resourceVersion, start: `${after}\u0000`, period };
  const bytes = new TextEncoder().encode(JSON.stringify(token));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** Throws BadRequest for what this server has not made. */
export function decodeContinue(text: string): ContinueToken {
  const { v, rv, start, period } = parse(text);
  if (v !== VERSION) throw invalid(`server does not recognize this encoded version ${v ?? ''}`);
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv < NEWEST || rv === 0) {
    throw invalid(`incorrect encoded start resourceVersion (version ${VERSION})`);
  }
  if (typeof start !== 'string' || start === '') throw invalid(`encoded start key empty (version ${VERSION})`);
  if (!isClean(start)) throw invalid(start);
  return { resourceVersion: rv, after: start.replace(/\0$/, ''), period: Number(period) };
}

/** Whether a key leads nowhere but below where it stands, after Go's `path.Clean`. */
const isClean = (key: string): boolean =>
  key
    .replace(/^\//, '')
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..');

const NOT_BASE64 = /[^\w-]/;

function parse(text: string): { v?: unknown; rv?: unknown; start?: unknown; period?: unknown } {
  const strange = NOT_BASE64.exec(text);
  if (strange !== null) throw invalid(`illegal base64 data at input byte ${strange.index}`);
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const json = new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0)));
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Falls through to the refusal.
  }
  throw invalid('it is not what this server encodes');
}

const invalid = (why: string): StatusError => badRequest(`invalid continue token: continue key is not valid: ${why}`);
