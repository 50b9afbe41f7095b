/** YAML bodies. */
import { describe, expect, it } from 'vitest';
import { decodeYaml, encodeYaml, strictError, yamlDuplicates } from '../../src/apimachinery/codec/index.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { Json } from '../../src/apimachinery/meta.ts';

describe('decodeYaml', () => {
  const cases: [string, string, Json][] = [
    ['an object', 'kind: Pod\nmetadata:\n  name: a\n', { kind: 'Pod', metadata: { name: 'a' } }],
    ['JSON', '{"a": [1, null]}', { a: [1, null] }],
    ['flow style', '{a: 1, b: [x]}', { a: 1, b: ['x'] }],
    ['the first of several documents', '---\na: 1\n---\na: 2\n', { a: 1 }],
    ['a document after a comment', '# hello\n---\na: 1\n', { a: 1 }],
    ['dashes in a block', 'a: |\n  x\n  ---\n  y\n', { a: 'x\n---\ny\n' }],
    ['a document that ends', 'a: 1\n...\nb: [', { a: 1 }],
    ['YAML 1.1 booleans', 'a: yes\nb: off\nc: "yes"\nd: True', { a: true, b: false, c: 'yes', d: true }],
    ['YAML 1.1 octal numbers', 'a: 0644\nb: 0o17\nc: 08', { a: 420, b: 15, c: 8 }],
    ['no base-60 numbers', 'a: 22:22\nb: 1:30:00', { a: '22:22', b: '1:30:00' }],
    ['dates as texts', 'a: 2026-01-02\nb: 2026-01-02T03:04:05Z', { a: '2026-01-02', b: '2026-01-02T03:04:05Z' }],
    ['nulls', 'a: ~\nb:\nc: null', { a: null, b: null, c: null }],
    ['anchors', 'a: &x {k: 1}\nb: *x', { a: { k: 1 }, b: { k: 1 } }],
    ['merge keys', 'a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  l: 3', { a: { k: 1, l: 2 }, b: { k: 1, l: 3 } }],
    ['the last of duplicate keys', 'a: 1\na: 2', { a: 2 }],
    ['keys that are no texts', '1: a\ntrue: b', { 1: 'a', true: 'b' }],
    ['block texts', 'a: |\n  x\n  y\nb: >-\n  x\n  y\n', { a: 'x\ny\n', b: 'x y' }],
    ['nothing', '', null],
  ];
  it.each(cases)('%s', (_, text, value) => {
    expect(decodeYaml(text)).toEqual(value);
  });

  it.each(['a: [', 'a: b: c', '\ta: 1', 'a: *missing', '%YAML', '"'])('%j is refused', (text) => {
    expect(status(text)).toMatchObject({
      code: 400,
      message: expect.stringMatching(/^error converting YAML to JSON: yaml: /),
    });
  });

  it('__proto__ is a key like any other', () => {
    const value = decodeYaml('a: 1\n__proto__:\n  b: 1\n') as Record<string, Json>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['a', '__proto__']);
  });

  it('anchors do not multiply without end', () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) =>
        `a${i}: &a${i} [${Array(10)
          .fill(i === 0 ? 'lol' : `*a${i - 1}`)
          .join(',')}]`,
    );
    expect(status(levels.join('\n')).code).toBe(400);
  });

  it('nesting does not go on without end', () => {
    expect(status(`a: ${'['.repeat(100_000)}`).code).toBe(400);
  });
});

function status(text: string): StatusError['status'] {
  try {
    decodeYaml(text);
  } catch (error) {
    if (error instanceof StatusError) return error.status;
    throw error;
  }
  throw new Error('was not refused');
}

describe('yamlDuplicates', () => {
  it('names the line of the second key', () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: y\n  name: z\nbogus: 1\n';
    const duplicates = yamlDuplicates(text);
    expect(duplicates).toBe('yaml: unmarshal errors:\n  line 5: key "name" already set in map');
    expect(strictError([duplicates, 'unknown field "bogus"'])).toBe(
      'strict decoding error: yaml: unmarshal errors:\n  line 5: key "name" already set in map, unknown field "bogus"',
    );
  });

  it.each(['a: 1\nb: 1', 'a: {x: 1}\nb: {x: 1}', 'a: [', ''])('%j has none', (text) => {
    expect(yamlDuplicates(text)).toBe('');
  });

  it('are not named without end', () => {
    expect(yamlDuplicates('a: 1\n'.repeat(500)).split('\n')).toHaveLength(101);
  });
});

describe('encodeYaml', () => {
  it.each<[Json, string]>([
    [{ b: [{ c: 1, a: [] }, 'x'], a: {} }, 'a: {}\nb:\n- a: []\n  c: 1\n- x\n'],
    [[[1, [true]], null], '- - 1\n  - - true\n- null\n'],
    [{ 'f:data': { '.': {}, 'f:z': {} } }, 'f:data:\n  .: {}\n  f:z: {}\n'],
    [{ a10: 1, a9: 2, a: 3, 'a-b': 4 }, 'a: 3\na-b: 4\na9: 2\na10: 1\n'],
    [
      { t: '2026-01-02T03:04:05Z', n: '12', y: 'yes', e: '', f: '1e3' },
      'e: ""\nf: "1e3"\n"n": "12"\nt: "2026-01-02T03:04:05Z"\n"y": "yes"\n',
    ],
    [
      ['*', '- a', 'a: b', 'a #b', "it's", ' x', '10.0.0.1', 'a:b'],
      "- '*'\n- '- a'\n- 'a: b'\n- 'a #b'\n- it's\n- ' x'\n- 10.0.0.1\n- a:b\n",
    ],
    [{ a: 'x\ny\n', b: 'x\n\ny', c: ' x\n\n' }, 'a: |\n  x\n  y\nb: |-\n  x\n\n  y\nc: |2+\n   x\n\n'],
    ['a\tb\u0001😀', '"a\\tb\\x01\\U0001F600"\n'],
    [{ ['k'.repeat(129)]: 1 }, `? ${'k'.repeat(129)}\n: 1\n`],
  ])('%j', (value, text) => {
    expect(encodeYaml(value)).toBe(text);
    expect(decodeYaml(text)).toEqual(value);
  });
});

it('encodeYaml sorts keys and comes back', () => {
  const object = { kind: 'Pod', apiVersion: 'v1', spec: { text: 'yes', number: '12', long: 'word '.repeat(50) } };
  const text = encodeYaml(object);
  expect(text.startsWith('apiVersion: v1\nkind: Pod\n')).toBe(true);
  expect(decodeYaml(text)).toEqual(object);
});
