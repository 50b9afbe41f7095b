/** The cluster's signing keys through their lives: shown, signing, verifying, gone. */
import { describe, expect, it } from 'vitest';
import { tokenSeconds } from '../../src/api/authentication/signing.ts';
import {
  describeKeys,
  living,
  newKey,
  noted,
  onlyKey,
  publicKeys,
  signer,
  type TimedKey,
} from '../../src/api/authentication/signing-keys.ts';

const HOUR = 3600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 21);
const first = await newKey(0, 0);
const second = await newKey(NOW, HOUR);
const third = await newKey(NOW, 2 * HOUR);
const kids = (keys: readonly TimedKey[]): string[] => keys.map(({ kid }) => kid);

describe('a signing key', () => {
  it.each<[string, TimedKey[], number, TimedKey, TimedKey[]]>([
    ['is alone', [first], NOW, first, [first]],
    ['is shown before it signs', [second, first], NOW, first, [second, first]],
    ['signs when its time has come', [second, first], NOW + HOUR, second, [second]],
    ['verifies while its tokens live', [second, { ...first, until: NOW + DAY }], NOW + HOUR, second, [second, first]],
    ['goes with its last token', [second, { ...first, until: NOW + DAY }], NOW + DAY, second, [second]],
    [
      'stays where its tokens have no end',
      [second, { ...first, until: null }],
      NOW + 900 * DAY,
      second,
      [second, first],
    ],
    ['waits behind another', [third, second, first], NOW + HOUR, second, [third, second]],
    ['signs where the clock went back', [{ ...second, from: NOW + HOUR }], NOW, second, [second]],
  ])('%s', (_, keys, at, signs, believed) => {
    expect(signer(keys, at).kid).toBe(signs.kid);
    expect(kids(living(keys, at))).toEqual(kids(believed));
    expect(publicKeys(keys, at).map(({ kid }) => kid)).toEqual(kids(believed));
    expect(JSON.stringify(publicKeys(keys, at))).not.toContain('"d"');
  });

  it('is noted for what it has signed, once a day at most', () => {
    const keys = [first];
    const after = noted(keys, first.kid, NOW + HOUR);
    expect(after[0]?.until).toBe(NOW + HOUR + DAY);
    expect(noted(after, first.kid, NOW + 2 * HOUR)).toBe(after);
    expect(noted(after, first.kid, NOW + HOUR + DAY + 1)[0]?.until).toBe(NOW + HOUR + 2 * DAY + 1);
    const endless = noted(after, first.kid, null);
    expect(endless[0]?.until).toBeNull();
    expect(noted(endless, first.kid, NOW + 900 * DAY)).toBe(endless);
    expect(noted(keys, 'another', NOW)).toBe(keys);
  });

  it('of before there were several is believed until it is retired', () => {
    expect(living([second, ...onlyKey(first)], NOW + 900 * DAY)).toHaveLength(2);
  });

  it('is told of to people without its secret', () => {
    const keys = [second, { ...first, until: NOW + DAY }];
    expect(describeKeys(keys, NOW)).toEqual([
      { kid: second.kid, state: 'next', from: '2026-11-21T01:00:00.000Z', until: '' },
      { kid: first.kid, state: 'signs', from: '1970-01-01T00:00:00.000Z', until: '' },
    ]);
    expect(describeKeys(keys, NOW + HOUR)[1]).toMatchObject({ state: 'verifies', until: '2026-11-22T00:00:00.000Z' });
    expect(describeKeys([{ ...second, until: 1e300 }, first], NOW)[0]?.state).toBe('next');
  });
});

it.each<[string, Parameters<typeof tokenSeconds>[0], number]>([
  ['as asked for', { user: 'a', groups: [], ttlSeconds: 60 }, 60],
  [
    'a year for a pod',
    {
      user: 'a',
      groups: [],
      ttlSeconds: 3607,
      serviceAccount: { namespace: 'n', name: 'a', uid: 'u', pod: { name: 'p', uid: 'u' } },
    },
    365 * 24 * 3600,
  ],
])('a token lives %s', (_, request, seconds) => {
  expect(tokenSeconds(request)).toBe(seconds);
});
