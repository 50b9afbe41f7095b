import { describe, expect, it } from 'vitest';
import { toMessage } from '../../src/apimachinery/field.ts';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import type { StructuralSchema, ValidationRule } from '../../src/apimachinery/structural/schema.ts';
import { fieldPathOf } from '../../src/resources/custom/field-path.ts';
import { rulesOf, validateRules } from '../../src/resources/custom/rules.ts';

const INT: StructuralSchema = { type: 'integer' };
const TEXT: StructuralSchema = { type: 'string' };

/** A resource whose `spec` has these fields and rules. */
function resource(
  properties: Record<string, StructuralSchema>,
  rules: (string | ValidationRule)[] = [],
): StructuralSchema {
  const validations = rules.map((rule) => (typeof rule === 'string' ? { rule } : rule));
  return {
    type: 'object',
    properties: { spec: { type: 'object', properties, 'x-kubernetes-validations': validations } },
  };
}

function check(schema: StructuralSchema, object: JsonObject, old?: JsonObject) {
  const level = rulesOf(schema);
  if (level === undefined) throw new Error('no rules');
  const { errors, warnings } = validateRules(object, old, level);
  return { errors: errors.map(toMessage), warnings };
}

describe('rules hold', () => {
  const items = { type: 'array', items: INT };
  const cases: [string, Record<string, StructuralSchema>, string, JsonObject][] = [
    ['numbers', { n: { type: 'number' } }, 'self.n == 1.0 && self.n < 1.5', { n: 1 }],
    ['ints', { n: INT }, 'self.n + 1 == 3', { n: 2 }],
    ['lists', { l: items }, 'self.l.all(i, i > 0) && self.l.sum() == 3 && size(self.l) == 2', { l: [1, 2] }],
    [
      'maps',
      { m: { type: 'object', additionalProperties: INT } },
      "self.m.all(k, self.m[k] == 1) && 'a' in self.m",
      { m: { a: 1 } },
    ],
    [
      'dates',
      { d: { type: 'string', format: 'date-time' } },
      'self.d < timestamp("2021-01-01T00:00:00Z")',
      { d: '2020-01-01T00:00:00Z' },
    ],
    ['days', { d: { type: 'string', format: 'date' } }, 'self.d.getFullYear() == 2020', { d: '2020-02-01' }],
    ['durations', { d: { type: 'string', format: 'duration' } }, 'self.d == duration("90m")', { d: '1h30m' }],
    ['bytes', { b: { type: 'string', format: 'byte' } }, "self.b == b'abc'", { b: 'YWJj' }],
    [
      'an int or a string',
      { p: { 'x-kubernetes-int-or-string': true } },
      "type(self.p) == int ? self.p > 1 : self.p.endsWith('%')",
      { p: '5%' },
    ],
    ['an int of the two', { p: { 'x-kubernetes-int-or-string': true } }, 'type(self.p) == int && self.p > 1', { p: 2 }],
    ['names with dashes', { 'a-b': INT }, 'self.a__dash__b == 1', { 'a-b': 1 }],
    ['names with dots', { 'a.b/c': INT }, 'self.a__dot__b__slash__c == 1', { 'a.b/c': 1 }],
    ['reserved names', { namespace: TEXT }, "self.__namespace__ == 'x'", { namespace: 'x' }],
    ['absent fields', { n: INT }, '!has(self.n)', {}],
    ['optional fields', { n: INT }, 'self.?n.orValue(5) == 5', {}],
    ['nulls that may be', { n: { type: 'string', nullable: true } }, 'has(self.n) && self.n == null', { n: null }],
    ['objects of one type', { a: { type: 'object', properties: { x: INT } } }, 'self.a == self.a', { a: { x: 1 } }],
    [
      'objects in lists',
      { l: { type: 'array', items: { type: 'object', properties: { x: INT } } } },
      'self.l[0].x == 1 && self.l.map(i, i.x) == [1]',
      { l: [{ x: 1 }] },
    ],
    [
      'objects in maps',
      { m: { type: 'object', additionalProperties: { type: 'object', properties: { x: INT } } } },
      'self.m.k.x == 1 && self.m.exists(k, self.m[k].x == 1)',
      { m: { k: { x: 1 } } },
    ],
    ['quantities', { q: TEXT }, "quantity(self.q).isGreaterThan(quantity('1Mi'))", { q: '1Gi' }],
    ['formats', { q: TEXT }, '!format.dns1123Label().validate(self.q).hasValue()', { q: 'abc' }],
  ];
  it.each(cases)('%s', (_, properties, rule, spec) => {
    expect(check(resource(properties, [rule]), { spec })).toEqual({ errors: [], warnings: [] });
    expect(check(resource(properties, [`!(${rule})`]), { spec }).errors).toEqual([
      `spec: Invalid value: failed rule: !(${rule})`,
    ]);
  });
});

describe('the head of a resource', () => {
  it.each([
    'self.metadata.name == "x"',
    'self.kind == "K" && self.apiVersion == "v"',
    '!has(self.metadata.generateName)',
  ])('%s', (rule) => {
    const schema: StructuralSchema = { type: 'object', 'x-kubernetes-validations': [{ rule }] };
    const head = { kind: 'K', apiVersion: 'v', metadata: { name: 'x', labels: { a: 'b' } } };
    expect(check(schema, head).errors).toEqual([]);
    expect(check({ ...schema, 'x-kubernetes-validations': [{ rule: `!(${rule})` }] }, head).errors).toEqual([
      `<nil>: Invalid value: failed rule: !(${rule})`,
    ]);
  });
});

describe('what a broken rule says', () => {
  const small = { n: INT };
  const cases: [string, ValidationRule, string[]][] = [
    ['itself', { rule: ' self.n > 5 ' }, ['spec: Invalid value: failed rule: self.n > 5']],
    ['its message', { rule: 'self.n > 5', message: ' too small ' }, ['spec: Invalid value: too small']],
    [
      'its expression',
      { rule: 'self.n > 5', messageExpression: '"%d is small".format([self.n])' },
      ['spec: Invalid value: 1 is small'],
    ],
    [
      'its message, where the expression fails',
      { rule: 'self.n > 5', message: 'm', messageExpression: "['x'][self.n]" },
      ['spec: Invalid value: m'],
    ],
    [
      'its message, where the expression has lines',
      { rule: 'self.n > 5', message: 'm', messageExpression: "'a\\nb'" },
      ['spec: Invalid value: m'],
    ],
    ['where it says', { rule: 'self.n > 5', fieldPath: '.n' }, ['spec.n: Invalid value: failed rule: self.n > 5']],
    ['forbidden', { rule: 'self.n > 5', reason: 'FieldValueForbidden', message: 'm' }, ['spec: Forbidden: m']],
    ['required', { rule: 'self.n > 5', reason: 'FieldValueRequired', message: 'm' }, ['spec: Required value: m']],
    [
      'an error',
      { rule: '1 / (self.n - 1) > 5' },
      ['spec: Invalid value: "object": division by zero evaluating rule: 1 / (self.n - 1) > 5'],
    ],
    [
      'that it does not compile',
      { rule: 'self.m > 5' },
      [
        'spec: Invalid value: "object": rule compile error: compilation failed: ERROR: <input>:1:5: undefined field \'m\'\n | self.m > 5\n | ....^',
      ],
    ],
  ];
  it.each(cases)('%s', (_, rule, errors) => {
    expect(check(resource(small, [rule]), { spec: { n: 1 } }).errors).toEqual(errors);
  });

  it('tells a value that is no object', () => {
    const own = { ...INT, 'x-kubernetes-validations': [{ rule: 'self > 5' }] };
    expect(check(resource({ n: own }), { spec: { n: 1 } }).errors).toEqual([
      'spec.n: Invalid value: 1: failed rule: self > 5',
    ]);
    const values = { type: 'object', additionalProperties: own };
    expect(check(resource({ m: values }), { spec: { m: { 'a.b': 1 } } }).errors).toEqual([
      'spec.m[a.b]: Invalid value: 1: failed rule: self > 5',
    ]);
    expect(check(resource({ l: { type: 'array', items: own } }), { spec: { l: [9, 2] } }).errors).toEqual([
      'spec.l[1]: Invalid value: 2: failed rule: self > 5',
    ]);
  });
});

describe('changes', () => {
  const fixed = { ...TEXT, 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed' }] };
  const keyed = (more: StructuralSchema): StructuralSchema => ({
    type: 'array',
    items: { type: 'object', properties: { name: TEXT, value: fixed } },
    ...more,
  });
  const byName: StructuralSchema = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };
  const cases: [string, StructuralSchema, JsonObject | undefined, JsonObject, string[]][] = [
    ['are not looked for on create', fixed, undefined, { x: 'a' }, []],
    ['are not looked for where nothing was', fixed, {}, { x: 'a' }, []],
    ['are found', fixed, { x: 'a' }, { x: 'b' }, ['spec.x: Invalid value: "b": fixed']],
    [
      'are found by key',
      keyed(byName),
      { x: [{ name: 'n', value: 'a' }] },
      {
        x: [
          { name: 'm', value: 'z' },
          { name: 'n', value: 'b' },
        ],
      },
      ['spec.x[1].value: Invalid value: "b": fixed'],
    ],
    [
      'are not found in atomic lists',
      keyed({}),
      { x: [{ name: 'n', value: 'a' }] },
      { x: [{ name: 'n', value: 'b' }] },
      [],
    ],
    [
      'of order do not count in sets',
      {
        type: 'array',
        items: TEXT,
        'x-kubernetes-list-type': 'set',
        'x-kubernetes-validations': [{ rule: 'self == oldSelf' }],
      },
      { x: ['a', 'b'] },
      { x: ['b', 'a'] },
      [],
    ],
    [
      'of sets are unions',
      {
        type: 'array',
        items: TEXT,
        'x-kubernetes-list-type': 'set',
        'x-kubernetes-validations': [{ rule: "self + oldSelf + ['a'] == ['c', 'b', 'a'] && self != oldSelf" }],
      },
      { x: ['a', 'b'] },
      { x: ['b', 'c'] },
      [],
    ],
    [
      'of maps are merged by their keys',
      {
        type: 'array',
        items: { type: 'object', properties: { k: TEXT, v: TEXT }, required: ['k'] },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        'x-kubernetes-validations': [{ rule: "(oldSelf + self).map(x, x.v) == ['z', 'y', 'w']" }],
      },
      {
        x: [
          { k: 'a', v: 'x' },
          { k: 'b', v: 'y' },
        ],
      },
      {
        x: [
          { k: 'c', v: 'w' },
          { k: 'a', v: 'z' },
        ],
      },
      [],
    ],
    [
      'of order count in lists',
      { type: 'array', items: TEXT, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
      { x: ['a', 'b'] },
      { x: ['b', 'a'] },
      ['spec.x: Invalid value: failed rule: self == oldSelf'],
    ],
    [
      'from nothing, where a rule wants them',
      {
        ...TEXT,
        'x-kubernetes-validations': [
          { rule: 'oldSelf.hasValue() && oldSelf.value() != self', optionalOldSelf: true, message: 'must have been' },
        ],
      },
      undefined,
      { x: 'a' },
      ['spec.x: Invalid value: "a": must have been'],
    ],
  ];
  it.each(cases)('%s', (_, x, old, spec, errors) => {
    expect(check(resource({ x }), { spec }, old === undefined ? undefined : { spec: old }).errors).toEqual(errors);
  });

  it('blocks nothing that was wrong before, and warns', () => {
    const schema = resource({ n: { ...INT, 'x-kubernetes-validations': [{ rule: 'self > 5' }] }, o: INT });
    const was = { spec: { n: 1, o: 1 } };
    expect(check(schema, { spec: { n: 1, o: 2 } }, was)).toEqual({
      errors: [],
      warnings: ['spec.n: Invalid value: 1: failed rule: self > 5'],
    });
    expect(check(schema, { spec: { n: 2, o: 2 } }, was).errors).toHaveLength(1);
  });
});

describe('a budget', () => {
  it('ends an evaluation that costs too much, and those after it', () => {
    const nested = 'self.l.all(a, self.l.all(b, self.l.all(c, a + b + c < 0 || true)))';
    const schema = resource({ l: { type: 'array', items: INT } }, [nested, 'false']);
    const { errors } = check(schema, { spec: { l: Array.from({ length: 300 }, (_, index) => index) } });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('no further validation rules will be run due to call cost exceeds limit');
  });

  it('is one for all rules of an object', () => {
    const item = {
      ...INT,
      'x-kubernetes-validations': [{ rule: '[1,2,3,4,5,6,7,8,9].all(i, [1,2,3,4,5,6,7,8,9].all(j, i + j > 0))' }],
    };
    const schema = resource({ l: { type: 'array', items: item } });
    const { errors } = check(schema, { spec: { l: Array.from({ length: 50_000 }, () => 1) } });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('running out of cost budget');
  });
});

describe('paths of rules', () => {
  const schema = resource({ a: INT, m: { type: 'object', additionalProperties: INT }, 'x.y': INT });
  const cases: [string, object][] = [
    ['.spec.a', { path: 'spec.a' }],
    [".spec.m['k.l']", { path: 'spec.m[k.l]' }],
    [".spec['x.y']", { path: 'spec.x.y' }],
    ['spec', { problem: 'expected [ or . but got: spec' }],
    ['.', { problem: 'unexpected end of JSON path' }],
    ['.spec.b', { problem: 'does not refer to a valid field' }],
    ['.spec[a]', { problem: 'expected single quoted string but got a' }],
    [".spec['a'", { problem: 'unexpected end of JSON path' }],
  ];
  it.each(cases)('%s', (path, expected) => {
    expect(fieldPathOf(path, schema)).toMatchObject(expected);
  });
});
