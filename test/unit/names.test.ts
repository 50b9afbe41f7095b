import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatDuration, humanDuration, parseDuration } from '../../src/apimachinery/duration.ts';
import type { FieldError } from '../../src/apimachinery/field.ts';
import { toMessage } from '../../src/apimachinery/field.ts';
import type { ObjectMeta } from '../../src/apimachinery/meta.ts';
import * as names from '../../src/apimachinery/names.ts';
import * as networks from '../../src/apimachinery/networks.ts';
import { fnv32a, randomSuffix, safeEncode } from '../../src/apimachinery/random.ts';
import {
  type MetadataChecks,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../../src/apimachinery/validation/meta.ts';

describe('names', () => {
  const long = 'a'.repeat(64);
  it.each<[string, (text: string) => string[], string[], string[]]>([
    ['label', names.isDns1123Label, ['a', 'a-1', '1'], ['', 'A', '-a', 'a-', 'a.b', long]],
    ['subdomain', names.isDns1123Subdomain, ['a', 'a.b-c', long], ['', 'a..b', '.a', 'a_b', 'a'.repeat(254)]],
    ['1035', names.isDns1035Label, ['a', 'a1'], ['1', '', 'a.b', long]],
    ['wildcard', names.isWildcardDns1123Subdomain, ['*.a'], ['a', '*', '*.', '*.*']],
    ['qualified', names.isQualifiedName, ['a', 'A_b.c', 'x.y/Z'], ['', 'a/b/c', '/a', 'a/', 'A/b', long]],
    ['label value', names.isLabelValue, ['', 'a', 'A_b.c'], ['-', 'a b', 'ü', long]],
    ['port', names.isPortName, ['http', 'a1'], ['', '1', 'a--b', '-a', 'A', 'a'.repeat(16)]],
    ['percent', names.isPercent, ['1%', '150%'], ['', '%', '-1%', '1']],
    ['key', names.isConfigMapKey, ['a', '.a', 'A_b-c'], ['', '.', '..', '..a', 'a/b']],
    [
      'ip',
      networks.isIp,
      ['1.2.3.4', '::', '::1', 'fe80::1', 'FE80::0001', '::1.2.3.4'],
      ['', '01.2.3.4', '::ffff:1.2.3.4', '1.2.3', '1.2.3.4.', ':', '1::2::3', '::g'],
    ],
    [
      'cidr',
      networks.isCidr,
      ['1.2.3.4/32', '::/0'],
      ['', '1.2.3.4', '1.2.3.4/33', '1.2.3.4/8', '::ffff:1.2.3.4/128', '::/129', '1.2.3.4/08', '::/'],
    ],
    ['env', names.isEnvVarName, ['A', 'a b'], ['', 'a=b', 'ü']],
  ])('%s', (_, problems, good, bad) => {
    for (const text of good) expect(problems(text), text).toEqual([]);
    for (const text of bad) expect(problems(text), text).not.toEqual([]);
  });

  it('says what upstream says', () => {
    expect(names.isDns1123Label('A')[0]).toBe(
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    );
    expect(names.isDns1123Label('a.b')).toEqual(['must not contain dots']);
    expect(names.isDns1123Label(long)).toEqual(['must be no more than 63 characters']);
    expect(names.isLabelValue(long)).toEqual(['must be no more than 63 bytes']);
    expect(names.isQualifiedName(long)).toEqual(['name part must be no more than 63 bytes']);
  });

  it('counts bytes', () => {
    for (const text of ['', 'abc', 'ü', '€', '😀', 'a😀ü€']) {
      expect(names.byteLength(text)).toBe(new TextEncoder().encode(text).length);
    }
  });
});

describe('metadata', () => {
  const fields = (errors: FieldError[]): string[] => errors.map((error) => `${error.field} ${error.type.slice(10)}`);
  const meta = (more: Partial<ObjectMeta>): ObjectMeta => ({ name: 'm', namespace: 'n', ...more });
  it.each<[Partial<ObjectMeta>, string[]]>([
    [{}, []],
    [{ name: '' }, ['metadata.name Required']],
    [{ name: 'A', generateName: 'B_' }, ['metadata.generateName Invalid', 'metadata.name Invalid']],
    [{ generateName: 'ok-' }, []],
    [{ namespace: 'a.b' }, ['metadata.namespace Invalid']],
    [{ namespace: '' }, ['metadata.namespace Required']],
    [{ labels: { 'a b': 'c' } }, ['metadata.labels Invalid']],
    [{ annotations: { 'UP.er/x': 'c', b: 'x y' } }, []],
    [{ annotations: { big: 'x'.repeat(262144) } }, ['metadata.annotations TooLong']],
    [{ finalizers: ['nodomain'] }, ['metadata.finalizers[0] Invalid']],
    [{ finalizers: ['a.b/c', 'orphan'] }, []],
    [{ finalizers: ['orphan', 'foregroundDeletion'] }, ['metadata.finalizers Invalid']],
    [
      { ownerReferences: [{ apiVersion: 'a/b/c', kind: '', name: 'x', uid: '' }] },
      [
        'metadata.ownerReferences.apiVersion Invalid',
        'metadata.ownerReferences.kind Invalid',
        'metadata.ownerReferences.uid Invalid',
      ],
    ],
  ])('%#', (more, expected) => expect(fields(validateObjectMeta(meta(more), true))).toEqual(expected));

  it('forbids a namespace on cluster-scoped objects', () => {
    expect(validateObjectMeta(meta({}), false).map(toMessage)).toEqual([
      'metadata.namespace: Forbidden: not allowed on this type',
    ]);
  });

  it.each<[Partial<ObjectMeta>, Partial<ObjectMeta>, string[]]>([
    [{ uid: '1' }, { uid: '1' }, []],
    [{ uid: 'other' }, { uid: '1' }, ['metadata.uid: Invalid value: "other": field is immutable']],
    [{ generation: 1 }, { generation: 2 }, ['metadata.generation: Invalid value: 1: must not be decremented']],
    [
      { finalizers: ['a.b/c'], deletionTimestamp: 't' },
      { deletionTimestamp: 't' },
      [
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/c"}',
      ],
    ],
    [{ deletionTimestamp: 't' }, {}, ['metadata.deletionTimestamp: Invalid value: "t": field is immutable']],
    [
      { deletionGracePeriodSeconds: 5 },
      { deletionGracePeriodSeconds: 4 },
      ['metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable'],
    ],
  ])('update %#', (next, old, expected) => {
    // Upstream looks twice at what may change, and says it twice.
    const twice = expected.flatMap((message) => [message, message]);
    expect(validateObjectMetaUpdate(meta(next), meta(old), true).map(toMessage)).toEqual(twice);
  });

  it.each<[MetadataChecks, boolean, number[]]>([
    [[1, 1], false, [4, 2, 2, 1]],
    [[0, 1], false, [3, 1, 1, 0]],
    [[1, 0], false, [3, 2, 1, 1]],
    [[1, 0], true, [3, 2, 0, 1]],
    [[0, 0], true, [2, 1, 0, 0]],
  ])('counts what a kind with the checks %j says', (checks, plain, expected) => {
    const count = (more: Partial<ObjectMeta>, field: string): number =>
      fields(validateObjectMetaUpdate(meta(more), meta({}), true, checks, plain)).filter((f) => f.startsWith(field))
        .length;
    expect([
      count({ labels: { a: 'Bad Value' } }, 'metadata.labels'),
      count({ finalizers: ['Bad Value'] }, 'metadata.finalizers '),
      count({ finalizers: ['nodomain'] }, 'metadata.finalizers['),
      count({ generateName: 'Bad Name' }, 'metadata.generateName'),
    ]).toEqual(expected);
  });
});

describe('durations', () => {
  it.each([
    ['1h2m3.5s', 3723500],
    ['300ms', 300],
    ['-1.5h', -5400000],
    ['0', 0],
    ['1us', 0.001],
    ['', undefined],
    ['1', undefined],
    ['1x', undefined],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms));
  it.each([
    [0, '0s'],
    [1500, '1.5s'],
    [3600e3, '1h0m0s'],
    [90e3, '1m30s'],
    [300, '300ms'],
    [-1000, '-1s'],
  ])('%d', (ms, text) => expect(formatDuration(ms)).toBe(text));
  it.each([
    [-5, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [125, '2m5s'],
    [600, '10m'],
    [10799, '179m'],
    [10800, '3h'],
    [11100, '3h5m'],
    [8 * 3600, '8h'],
    [47 * 3600, '47h'],
    [48 * 3600, '2d'],
    [49 * 3600, '2d1h'],
    [8 * 86400, '8d'],
    [729 * 86400, '729d'],
    [730 * 86400, '2y'],
    [761 * 86400, '2y31d'],
    [365 * 8 * 86400, '8y'],
  ])('age of %d s', (seconds, text) => expect(humanDuration(seconds * 1000)).toBe(text));
});

it('makes suffixes', () => {
  expect(randomSuffix()).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  expect(randomSuffix(40)).toHaveLength(40);
  expect(fnv32a('')).toBe(2166136261);
  expect(fnv32a('a')).toBe(0xe40c292c);
  // The codes 48 and 97 modulo 27 letters are 21 and 16.
  expect(safeEncode('0a')).toBe('4v');
});

interface Step {
  request: { method: string; path: string; body?: { metadata: ObjectMeta } };
  response: { status: number; body: { details?: { causes?: { field: string; message: string }[] } } };
}

const recorded = new URL('../../../shared/fixtures/recorded/scenarios/metadata.json', import.meta.url).pathname;
describe.skipIf(!existsSync(recorded))('metadata of the original', () => {
  const { steps } = (existsSync(recorded) ? JSON.parse(readFileSync(recorded, 'utf8')) : { steps: [] }) as {
    steps: Step[];
  };
  steps.forEach(({ request, response }, at) => {
    const { metadata } = request.body ?? {};
    if (metadata === undefined || !request.path.includes('/configmaps') || ![201, 422].includes(response.status))
      return;
    // Managed fields that make no sense are dropped before anything is validated, and the namespace is filled in.
    const { managedFields: _, ...rest } = metadata;
    it(`step ${at}: ${JSON.stringify(metadata).slice(0, 100)}`, () => {
      const ours = validateObjectMeta({ ...rest, name: rest.name ?? 'generated', namespace: 'n' }, true).map(toMessage);
      const theirs = (response.body.details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
      expect(ours.sort()).toEqual(theirs.sort());
    });
  });
});
