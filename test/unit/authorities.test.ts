/** The cluster's CAs through their lives: trusted, signing, trusted still, gone; and how they are read that were kept before. */
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { caHash, certificatesOf } from '../../agent/discovery.ts';
import { begun, signer } from '../../src/api/authentication/signing-keys.ts';
import {
  bundle,
  describeAuthorities,
  newAuthority,
  nextChange,
  onlyAuthority,
  type TimedAuthority,
  trusted,
} from '../../src/api/certificates/authorities.ts';
import { issueApiProxy } from '../../src/api/certificates/authority.ts';

const HOUR = 3600_000;
const NOW = Date.UTC(2026, 10, 21);
const first = await newAuthority(0, 0);
const second = await newAuthority(NOW, HOUR);
const third = await newAuthority(NOW, 2 * HOUR);

describe('a CA', () => {
  it.each<
    [string, TimedAuthority[], number, order: TimedAuthority[], begun: TimedAuthority[], next: number | undefined]
  >([
    ['is alone', [first], NOW, [first], [first], undefined],
    ['is trusted before it signs', [second, first], NOW, [first, second], [first], NOW + HOUR],
    ['signs when its time has come', [second, first], NOW + HOUR, [second, first], [second, first], undefined],
    [
      'is trusted long after it has signed',
      [second, first],
      NOW + 9000 * HOUR,
      [second, first],
      [second, first],
      undefined,
    ],
    [
      'waits behind another',
      [third, second, first],
      NOW + HOUR,
      [second, third, first],
      [second, first],
      NOW + 2 * HOUR,
    ],
    ['signs alone where another was retired', [third], NOW + 3 * HOUR, [third], [third], undefined],
    ['signs where the clock went back', [third, second], NOW, [second, third], [second], NOW + 2 * HOUR],
  ])('%s', (_, authorities, at, order, settled, next) => {
    expect(trusted(authorities, at)).toEqual(order);
    expect(signer(authorities, at)).toBe(order[0]);
    expect(begun(authorities, at)).toEqual(settled);
    expect(nextChange(authorities, at)).toBe(next);
    const pins = certificatesOf(bundle(authorities, at)).map(caHash);
    expect(pins.map((pin) => pin.slice('sha256:'.length, 'sha256:'.length + 16))).toEqual(order.map(({ id }) => id));
    expect(bundle(authorities, at)).not.toContain('PRIVATE');
  });

  it('has signed what it alone vouches for, though others have its name', async () => {
    const signed = new X509Certificate((await issueApiProxy(second)).cert);
    const vouches = (by: TimedAuthority): boolean => signed.verify(new X509Certificate(by.certificate).publicKey);
    expect([vouches(first), vouches(second), vouches(third)]).toEqual([false, true, false]);
  });

  it('is told of to people without its key', () => {
    const described = describeAuthorities([second, first], NOW);
    expect(described.map(({ id, state, from }) => [id, state, from])).toEqual([
      [second.id, 'next', '2026-11-21T01:00:00.000Z'],
      [first.id, 'signs', '1970-01-01T00:00:00.000Z'],
    ]);
    expect(describeAuthorities([second, first], NOW + HOUR).map(({ state }) => state)).toEqual(['signs', 'trusted']);
    const end = new Date(new X509Certificate(first.certificate).validTo).toISOString();
    expect(described[1]?.until).toBe(end);
    expect(Object.keys(described[0] ?? {})).toEqual(['id', 'state', 'from', 'until']);
  });

  it('of before there could be several signs since it was made', async () => {
    const { certificate, key } = first;
    const [only] = await onlyAuthority({ certificate, key });
    const made = Date.parse(new X509Certificate(certificate).validFrom);
    expect(only).toEqual({ certificate, key, id: first.id, from: made });
  });
});
