import { describe, expect, it } from 'vitest';
import { findAll, parseJsonPath } from '../../src/apimachinery/json-path.ts';
import type { Json, JsonObject } from '../../src/apimachinery/meta.ts';
import { applyDefaults } from '../../src/apimachinery/structural/defaults.ts';
import { coerceEmbedded } from '../../src/apimachinery/structural/embedded.ts';
import { validateListTypes } from '../../src/apimachinery/structural/list-types.ts';
import { prune } from '../../src/apimachinery/structural/prune.ts';
import { matchesPattern } from '../../src/apimachinery/structural/regex.ts';
import type { StructuralSchema } from '../../src/apimachinery/structural/schema.ts';
import { validateStructural } from '../../src/apimachinery/structural/validate.ts';

const object = (properties: Record<string, StructuralSchema>, more: StructuralSchema = {}): StructuralSchema => ({
  type: 'object',
  properties,
  ...more,
});
const text: StructuralSchema = { type: 'string' };

describe('pruning', () => {
  const cases: [string, StructuralSchema, JsonObject, JsonObject, string[]][] = [
    ['drops what is not named', object({ a: text }), { a: 'x', b: 1 }, { a: 'x' }, ['b']],
    [
      'leaves the head of a resource alone',
      object({}),
      { kind: 'K', apiVersion: 'v', metadata: { x: 1 } },
      { kind: 'K', apiVersion: 'v', metadata: { x: 1 } },
      [],
    ],
    [
      'names what it drops in lists',
      object({ l: { type: 'array', items: object({ a: text }) } }),
      { l: [{ a: '1', b: 1 }] },
      { l: [{ a: '1' }] },
      ['l[0].b'],
    ],
    [
      'keeps what it is told to keep, and looks further',
      object({ o: object({ in: object({}) }, { 'x-kubernetes-preserve-unknown-fields': true }) }),
      { o: { free: 1, in: { y: 1 } } },
      { o: { free: 1, in: {} } },
      ['o.in.y'],
    ],
    [
      'looks into maps of any key',
      object({ m: { type: 'object', additionalProperties: object({ a: text }) } }),
      { m: { k: { a: '1', z: 1 } } },
      { m: { k: { a: '1' } } },
      ['m.k.z'],
    ],
    [
      'knows the head of embedded resources',
      object({ t: object({}, { 'x-kubernetes-embedded-resource': true }) }),
      { t: { kind: 'K', metadata: {}, data: {} } },
      { t: { kind: 'K', metadata: {} } },
      ['t.data'],
    ],
  ];
  it.each(cases)('%s', (_, schema, given, left, dropped) => {
    const copy = structuredClone(given);
    expect(prune(copy, schema)).toEqual(dropped);
    expect(copy).toEqual(left);
  });
});

describe('embedded objects', () => {
  const schema = object({ t: { type: 'array', items: object({}, { 'x-kubernetes-embedded-resource': true }) } });
  const whole = (metadata: Json, kind: Json = 'Sub'): JsonObject => ({
    kind: 'K',
    apiVersion: 'example.com/v1',
    t: [{ kind, apiVersion: 'v1', metadata }],
  });

  it('have metadata like any object', () => {
    const given = whole({
      name: 's',
      bogus: 1,
      labels: {},
      ownerReferences: [{ extra: 'x' }],
      creationTimestamp: null,
    });
    expect(coerceEmbedded(given, schema)).toEqual([
      'unknown field "t[0].metadata.bogus"',
      'unknown field "t[0].metadata.ownerReferences[0].extra"',
    ]);
    expect(given['t']).toMatchObject([{ metadata: { name: 's' } }]);
    expect(JSON.stringify(given)).not.toMatch(/bogus|extra|labels|creationTimestamp/);
  });

  it.each([
    [whole({ name: 1 }), /K in version "v1" cannot be handled as a K: t\[0\]\.metadata: Invalid value: \{"name":1\}: /],
    [whole({}, 1), 'K in version "v1" cannot be handled as a K: t[0].kind: Invalid value: 1: must be a string'],
  ])('are refused where a value is of the wrong type', (given, message) => {
    expect(() => coerceEmbedded(given, schema)).toThrow(message);
  });
});

describe('defaults', () => {
  const cases: [string, StructuralSchema, JsonObject, JsonObject][] = [
    ['fill what is absent', object({ a: { ...text, default: 'x' } }), {}, { a: 'x' }],
    ['do not replace what is there', object({ a: { ...text, default: 'x' } }), { a: '' }, { a: '' }],
    ['replace a null that may not be', object({ a: { ...text, default: 'x' } }), { a: null }, { a: 'x' }],
    ['leave a null that may be', object({ a: { ...text, nullable: true, default: 'x' } }), { a: null }, { a: null }],
    ['drop a null without a default', object({ a: text }), { a: null }, {}],
    [
      'fill the defaults of defaults',
      object({ o: object({ a: { ...text, default: 'x' } }, { default: {} }) }),
      {},
      { o: { a: 'x' } },
    ],
    [
      'fill items',
      object({ l: { type: 'array', items: object({ n: { type: 'integer', default: 5 } }) } }),
      { l: [{}] },
      { l: [{ n: 5 }] },
    ],
  ];
  it.each(cases)('%s', (_, schema, given, filled) => {
    const copy = structuredClone(given);
    applyDefaults(copy, schema);
    expect(copy).toEqual(filled);
    applyDefaults(copy, schema);
    expect(copy).toEqual(filled);
  });
});

describe('validation', () => {
  const cases: [string, StructuralSchema, Json, string[]][] = [
    [
      'a wrong type',
      { type: 'integer' },
      'x',
      ['Invalid value: "string": f in body must be of type integer: "string"'],
    ],
    ['a null', text, null, ['Invalid value: "null": f in body must be of type string: "null"']],
    ['a null that may be', { ...text, nullable: true }, null, []],
    ['an integer where a number will do', { type: 'number' }, 3, []],
    [
      'a minimum',
      { type: 'integer', minimum: 1 },
      0,
      ['Invalid value: 0: f in body should be greater than or equal to 1'],
    ],
    [
      'a bound that is excluded',
      { type: 'number', maximum: 1, exclusiveMaximum: true },
      1,
      ['Invalid value: 1: f in body should be less than 1'],
    ],
    [
      'a large bound as Go prints it',
      { type: 'integer', maximum: 2000000 },
      3000000,
      ['Invalid value: 3000000: f in body should be less than or equal to 2e+06'],
    ],
    [
      'more than 32 bits',
      { type: 'integer', format: 'int32' },
      3000000000,
      ['Invalid value: "": Checked value must be of type integer with format int32 in f'],
    ],
    ['an enum', { ...text, enum: ['a', 'b'] }, 'c', ['Unsupported value: "c": supported values: "a", "b"']],
    ['a pattern', { ...text, pattern: '^[a-z]+$' }, 'A', ['Invalid value: "A": f in body should match \'^[a-z]+$\'']],
    ['characters, not units', { ...text, maxLength: 2 }, '😀😀', []],
    ['a format', { ...text, format: 'ipv4' }, 'x', ['Invalid value: "x": f in body must be of type ipv4: "x"']],
    ['a format that nobody knows', { ...text, format: 'poem' }, 'x', []],
    ['what is required', object({}, { required: ['a'] }), {}, ['Required value']],
    [
      'int or string',
      { 'x-kubernetes-int-or-string': true },
      true,
      ['Invalid value: "boolean": f in body must be of type integer,string: "boolean"'],
    ],
    [
      'none of several',
      object({}, { anyOf: [{ required: ['x'] }, { required: ['y'] }] }),
      {},
      ['Invalid value: "": "f" must validate at least one schema (anyOf)', 'Required value'],
    ],
    [
      'two of one',
      object({}, { oneOf: [{ required: ['x'] }, { required: ['y'] }] }),
      { x: 1, y: 1 },
      ['Invalid value: "": "f" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [
      'what may not be',
      object({}, { not: { required: ['c'] } }),
      { c: 1 },
      ['Invalid value: "": "f" must not validate the schema (not)'],
    ],
  ];
  it.each(cases)('says of %s what is wrong', (_, schema, value, bodies) => {
    expect(validateStructural(value, schema, 'f').map(({ body }) => body)).toEqual(bodies);
  });

  it('finds what stands twice in sets and maps', () => {
    const schema = object({
      set: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
      map: {
        type: 'array',
        items: object({ n: text }),
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['n'],
      },
    });
    const errors = validateListTypes({ set: ['a', 'b', 'a'], map: [{ n: 'x' }, { n: 'x', v: 1 }] }, schema);
    expect(errors.map(({ field, body }) => `${field}: ${body}`)).toEqual([
      'set[2]: Duplicate value: "a"',
      'map[1]: Duplicate value: {"n":"x"}',
    ]);
  });

  it('does not burn time on a pattern that was made for it', () => {
    expect(matchesPattern('^(a+)+$', `${'a'.repeat(50_000)}!`)).toBe(false);
    expect(matchesPattern('(', 'x')).toBe(false);
  });
});

describe('paths of printed columns', () => {
  const root: Json = {
    spec: { 'a.b': 'dotted', list: [{ n: 1 }, { n: 2 }] },
    status: {
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'Done', status: 'False' },
      ],
    },
  };
  const cases: [string, Json[]][] = [
    ['.spec.list[1].n', [2]],
    ['.spec.list[-1].n', [2]],
    ['.spec.list[*].n', [1, 2]],
    ['.spec.list[0:1].n', [1]],
    ['.spec.a\\.b', ['dotted']],
    [".spec['a.b']", ['dotted']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type!='Ready')].status", ['False']],
    ['.spec.list[?(@.n>1)].n', [2]],
    ['..n', [1, 2]],
    ['.nothing.at.all', []],
  ];
  it.each(cases)('%s', (path, found) => {
    expect(findAll(root, parseJsonPath(path))).toEqual(found);
  });

  it.each(['.a[', '.a[?(b)]', 'a b', '.a[?(@.x==y)]'])('refuses %s', (path) => {
    expect(() => parseJsonPath(path)).toThrow();
  });
});
