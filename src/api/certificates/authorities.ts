/**
 * The cluster's CAs, newest first. One signs; a newer one is trusted for a while before it signs, so that whoever verifies knows it by then;
 * an older one is trusted until somebody retires it: what it has signed may be anywhere.
 */
import * as x509 from '@peculiar/x509';
import { hex, sha256 } from '../../apimachinery/digest.ts';
import type { AuthorityState } from '../../durable-objects/cluster-rpc.ts';
import { signer } from '../authentication/signing-keys.ts';
import { type Authority, createAuthority } from './authority.ts';

/** A CA and its time. */
export interface TimedAuthority extends Authority {
  /** The start of the SHA-256 of its public key, by which pins name it too. */
  id: string;
  /** When it begins to sign, in ms since the epoch. */
  from: number;
}

const ID_DIGITS = 16;

/** The CA as it was kept before there could be several: it signs since it was made. */
export async function onlyAuthority(authority: Authority): Promise<TimedAuthority[]> {
  const from = new x509.X509Certificate(authority.certificate).notBefore.getTime();
  return [{ ...authority, id: await idOf(authority), from }];
}

/** A new CA that begins to sign after `afterMs`. */
export async function newAuthority(now: number, afterMs: number): Promise<TimedAuthority> {
  const authority = await createAuthority();
  return { ...authority, id: await idOf(authority), from: now + afterMs };
}

/** All CAs, the one that signs now before the others: who follows them sees by the order that another signs. */
export function trusted(authorities: readonly TimedAuthority[], now: number): TimedAuthority[] {
  const current = signer(authorities, now);
  return [current, ...authorities.filter((one) => one !== current)];
}

/** The certificates of {@link trusted}, PEM. */
export function bundle(authorities: readonly TimedAuthority[], now: number): string {
  return trusted(authorities, now)
    .map(({ certificate }) => certificate)
    .join('\n');
}

/** When another will sign, in ms since the epoch; undefined where none waits for its time. */
export function nextChange(authorities: readonly TimedAuthority[], now: number): number | undefined {
  const current = signer(authorities, now);
  return authorities.findLast((one) => one.from > now && one !== current)?.from;
}

export function describeAuthorities(authorities: readonly TimedAuthority[], now: number): AuthorityState[] {
  const current = signer(authorities, now);
  return authorities.map((one) => ({
    id: one.id,
    state: one === current ? 'signs' : one.from > now ? 'next' : 'trusted',
    from: new Date(one.from).toISOString(),
    until: new x509.X509Certificate(one.certificate).notAfter.toISOString(),
  }));
}

async function idOf({ certificate }: Authority): Promise<string> {
  const { rawData } = new x509.X509Certificate(certificate).publicKey;
  return hex(await sha256(rawData)).slice(0, ID_DIGITS);
}
