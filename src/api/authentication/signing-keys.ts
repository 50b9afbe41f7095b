/**
 * The keys of a cluster's own tokens, newest first. One signs; a newer one is shown for a while before it signs, so that whoever verifies
 * knows it by then; an older one verifies as long as anything that it has signed can live.
 */
import type { KeyState, PublicKey } from '../../durable-objects/cluster-rpc.ts';
import { createSigningKey, publicKey, type SigningKey } from './signing.ts';

/** A key and its time. All times in ms since the epoch. */
export interface TimedKey extends SigningKey {
  /** When it begins to sign. */
  from: number;
  /** Until when something that it has signed may live; null: nobody knows, for it has signed what has no end. */
  until: number | null;
}

/** A key's time is noted with so much to spare, so that it need not be noted again for every token. */
const SPARE_MS = 24 * 3600_000;

/** Keys as they were kept before there could be several: what it has signed, nobody has written down. */
export const onlyKey = (key: SigningKey): TimedKey[] => [{ ...key, from: 0, until: null }];

/** A new key that begins to sign after `afterMs`. Nothing that it signs lives yet. */
export async function newKey(now: number, afterMs: number): Promise<TimedKey> {
  return { ...(await createSigningKey()), from: now + afterMs, until: 0 };
}

/** Of keys, or of CAs, newest first: the one that signs now. */
export function signer<T extends { from: number }>(keys: readonly T[], now: number): T {
  return (keys.find(({ from }) => from <= now) ?? keys.at(-1)) as T;
}

/** Of keys, or of CAs: those that do not wait for their time. A new one takes the place of those that do. */
export function begun<T extends { from: number }>(keys: readonly T[], now: number): T[] {
  const current = signer(keys, now);
  return keys.filter((key) => key.from <= now || key === current);
}

/** The keys whose tokens are to be believed: all that sign or will, and the older ones while their tokens live. */
export function living(keys: readonly TimedKey[], now: number): TimedKey[] {
  const current = keys.indexOf(signer(keys, now));
  return keys.filter(({ until }, i) => i <= current || until === null || until > now);
}

/** The keys after one has signed what lives until `expiry` (null: for ever); the same array where there is nothing new to note. */
export function noted(keys: readonly TimedKey[], kid: string, expiry: number | null): readonly TimedKey[] {
  const key = keys.find((one) => one.kid === kid);
  if (key === undefined || key.until === null || (expiry !== null && expiry <= key.until)) return keys;
  const until = expiry === null ? null : expiry + SPARE_MS;
  return keys.map((one) => (one === key ? { ...one, until } : one));
}

export const publicKeys = (keys: readonly TimedKey[], now: number): PublicKey[] => living(keys, now).map(publicKey);

export function describeKeys(keys: readonly TimedKey[], now: number): KeyState[] {
  const current = signer(keys, now);
  const time = (at: number): string => new Date(Math.min(at, MAX_TIME)).toISOString();
  return living(keys, now).map((key) => ({
    kid: key.kid,
    state: key === current ? 'signs' : key.from > now ? 'next' : 'verifies',
    from: time(key.from),
    until: key.until === null || key === current || key.from > now ? '' : time(key.until),
  }));
}

/** What a date can say. */
const MAX_TIME = 8.64e15;
