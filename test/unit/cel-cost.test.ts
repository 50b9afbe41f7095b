import { describe, expect, it } from 'vitest';
import { estimatedCost } from '../../src/apimachinery/cel/cost.ts';
import { declare } from '../../src/apimachinery/cel/declared.ts';
import { type FieldError, toMessage } from '../../src/apimachinery/field.ts';
import type { StructuralSchema } from '../../src/apimachinery/structural/schema.ts';
import type { JSONSchemaProps } from '../../src/generated/types/apiextensions.v1.ts';
import { ruleErrors, ruleFieldErrors } from '../../src/resources/apiextensions/rules.ts';
import { compileRules } from '../../src/resources/custom/rule-programs.ts';

type Bounded = (most?: number) => StructuralSchema;

const scalar = (type: string): StructuralSchema => {
  if (type === 'int-or-string') return { 'x-kubernetes-int-or-string': true };
  return ['duration', 'date', 'date-time'].includes(type) ? { type: 'string', format: type } : { type };
};
const bound = (key: 'maxItems' | 'maxProperties' | 'maxLength', most: number | undefined): StructuralSchema =>
  most === undefined ? {} : { [key]: most };
const listOf =
  (items: StructuralSchema): Bounded =>
  (most) => ({ type: 'array', items, ...bound('maxItems', most) });
const mapOf =
  (values: StructuralSchema): Bounded =>
  (most) => ({ type: 'object', additionalProperties: values, ...bound('maxProperties', most) });
const text: Bounded = (most) => ({ type: 'string', ...bound('maxLength', most) });
const object: StructuralSchema = {
  type: 'object',
  properties: { required: { type: 'string' }, optional: { type: 'string' } },
  required: ['required'],
};
const texts: Bounded = (most) => ({ type: 'array', items: text(most), ...bound('maxItems', most) });
const textMap: Bounded = (most) => ({
  type: 'object',
  additionalProperties: text(most),
  ...bound('maxProperties', most),
});
const fields =
  (properties: Record<string, Bounded>): Bounded =>
  (most) => ({
    type: 'object',
    properties: Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, of(most)])),
  });

function costOf(schema: StructuralSchema, rule: string): number {
  const declared = declare(schema, false);
  if (declared === undefined) throw new Error('not declared');
  const [compiled] = compileRules([{ rule }], declared, schema);
  if (compiled?.program === undefined) throw new Error(compiled?.problem);
  return estimatedCost(compiled.program.root, { self: declared, oldSelf: declared });
}

describe('estimated costs are upstream’s', () => {
  const cases: [
    rule: string,
    what: string,
    schema: Bounded,
    unbounded: number | undefined,
    most: number,
    bounded: number,
  ][] = [
    ['self.all(x, true)', 'numbers', listOf(scalar('number')), 4718591, 10, 32],
    ['self.all(x, true)', 'strings', listOf(scalar('string')), 3145727, 20, 62],
    ['self.all(x, true)', 'booleans', listOf(scalar('boolean')), 1887437, 5, 17],
    ['self.all(x, true)', 'lists', listOf(listOf(scalar('number'))()), 3145727, 100, 302],
    ['self.all(x, true)', 'objects', listOf(object), 555128, 50, 152],
    ['self.all(x, true)', 'maps of numbers', mapOf(scalar('number')), 1348169, 10, 32],
    ['self.all(x, true)', 'maps of strings', mapOf(scalar('string')), 1179647, 3, 11],
    ['self.all(x, true)', 'durations', listOf(scalar('duration')), 2359295, 5, 17],
    ['self.all(x, true)', 'dates', listOf(scalar('date')), 725936, 15, 47],
    ['self.all(x, true)', 'times', listOf(scalar('date-time')), 428963, 25, 77],
    ['self.all(x, true)', 'ints or strings', listOf(scalar('int-or-string')), 4718591, 10, 32],
    ['self.all(x, true)', 'maps of objects', mapOf(object), 428963, 20, 62],
    ["self.contains('test')", 'a text', text, 314574, 10, 5],
    ["self.startsWith('test')", 'a text', text, 2, 15, 2],
    ['size(self + "hello") > size("hello")', 'a text', text, 314578, 4, 7],
    ['self[1] == 0.0', 'numbers', listOf(scalar('number')), 2, 5000, 2],
    ['self[1] == self[1]', 'strings', listOf(scalar('string')), 314577, 8, 314577],
    ['self.all(x, self.all(y, true))', 'numbers', listOf(scalar('number')), undefined, 10, 352],
    ['self.all(x, self.all(y, self.all(z, true)))', 'numbers', listOf(scalar('number')), undefined, 10, 3552],
    ['self.matches("x")', 'a text', text, 314574, 50, 22],
    ['"".matches("(((((((((())))))))))[0-9]")', 'a text', text, 7, 10, 7],
    ['self.matches("")', 'a text', text, 1, 100, 1],
    ['self.all(x, x.contains(self[x]))', 'texts by text', textMap, 2752507, 10, 72],
    ['self == "x"', 'a text', text, 2, 0, 1],
    ['self.all(x, x == 0.0)', 'numbers', listOf(scalar('number')), 6291454, 3 * 1024 * 2048, 25165826],
    ['self[0] == 5', 'ints or strings', listOf(scalar('int-or-string')), 3, 10, 3],
    ['self[0] == false', 'booleans', listOf(scalar('boolean')), 2, 25, 2],
    ['self[0] == null', 'objects', listOf(object), 2, 422, 2],
    ['self[0][0] == -1.0', 'lists', listOf(listOf(scalar('number'))()), 3, 51, 3],
    ['self.all(x, x.y == 25.2)', 'maps', listOf(mapOf(scalar('number'))()), 6291452, 12, 74],
    ['self[0].x > 2.0', 'maps', listOf(mapOf(scalar('number'))()), 4, 3000, 4],
    ['self[0].getHours() == 2', 'durations', listOf(scalar('duration')), 4, 525, 4],
    ["self.find('[0-9]+') == ''", 'a text', text, 629147, 10, 11],
    ["self.join(' ') == 'aa bb'", 'texts', texts, 329853068905, 10, 43],
    ['self.isSorted() == true', 'texts', texts, 329854432052, 10, 52],
    [
      "self.str.replace(self.before, self.after) == 'does not matter'",
      'three texts',
      fields({ str: text, before: () => text(2), after: () => text(4) }),
      629154,
      4,
      12,
    ],
    ['self.str.split(self.separator) == []', 'two texts', fields({ str: text, separator: text }), 629160, 10, 22],
    ["self.lowerAscii() == 'lower!'", 'a text', text, 314575, 10, 6],
    ['oldSelf.size() == self.size()', 'a map', mapOf(scalar('integer')), 5, 10, 5],
    ['self["a"] == self["b"]', 'times', mapOf(scalar('date-time')), 8, 7, 8],
    ["self.contains('A')", 'an enum', (most) => ({ ...text(most), enum: ['A', 'B', 'LongValue'] }), 2, 1000, 401],
    ['self.sort() == [1.0]', 'numbers', listOf(scalar('number')), undefined, 10, 223],
    ['self.distinct().size() == 1', 'numbers', listOf(scalar('number')), undefined, 10, 214],
    ['type(self) == int', 'ints or strings', () => scalar('int-or-string'), 4, 1, 4],
    ['ip(self) == ip(self)', 'a text', text, 629149, 10, 11],
    ['format.uri().validate(self).hasValue()', 'a text', text, 10066339, 10, 131],
    ["'a' + string(self) == 'a1'", 'an int', () => scalar('integer'), undefined, 1, Number.POSITIVE_INFINITY],
  ];
  it.each(cases)('%s of %s', (rule, _, schema, unbounded, most, bounded) => {
    const cost = costOf(schema(), rule);
    if (unbounded === undefined) expect(cost).toBeGreaterThan(1e10);
    else expect(cost).toBe(unbounded);
    expect(costOf(schema(most), rule)).toBe(bounded);
  });
});

describe('a definition is refused', () => {
  const INT: JSONSchemaProps = { type: 'integer' };
  const spec = (properties: Record<string, JSONSchemaProps>, rule: object): JSONSchemaProps => ({
    type: 'object',
    properties: { spec: { type: 'object', properties, 'x-kubernetes-validations': [rule] } },
  });
  const within = (field: JSONSchemaProps): JSONSchemaProps => ({ type: 'object', properties: { f: field } });
  const at = 'schema.properties[spec].x-kubernetes-validations[0]';
  const advice =
    '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)';
  const cases: [string, JSONSchemaProps, string[]][] = [
    ['not when all is right', spec({ n: INT }, { rule: 'self.n > 1' }), []],
    [
      'when a rule looks for what is not there',
      spec({ n: INT }, { rule: 'self.m > 1' }),
      [
        `${at}.rule: Invalid value: {"Rule":"self.m \\u003e 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field 'm'\n | self.m > 1\n | ....^`,
      ],
    ],
    [
      'when a rule is no yes or no',
      spec({ n: INT }, { rule: 'self.n' }),
      [expect.stringContaining('cel expression must evaluate to a bool')],
    ],
    [
      'when a message is no text',
      spec({ n: INT }, { rule: 'self.n > 1', messageExpression: '1' }),
      [expect.stringMatching(/messageExpression: Invalid value: .*: messageExpression must evaluate to a string$/)],
    ],
    [
      'when a message has no bound',
      spec({ n: { ...INT } }, { rule: 'self.n > 1', messageExpression: "'is ' + string(self.n)" }),
      [
        `${at}.messageExpression: Forbidden: estimated messageExpression cost exceeds budget by factor of more than 100x ${advice}`,
        expect.stringContaining('contributed to estimated rule'),
        expect.stringContaining('x-kubernetes-validations estimated rule cost total'),
      ],
    ],
    [
      'when a loop is a little too long',
      spec({ l: { type: 'array', maxItems: 3_500_000, items: { type: 'boolean' } } }, { rule: 'self.l.all(x, true)' }),
      [`${at}.rule: Forbidden: estimated rule cost exceeds budget by factor of 1.050000x ${advice}`],
    ],
    [
      'when items are told apart that cannot be',
      within({
        type: 'array',
        maxItems: 5,
        items: { ...INT, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
      }),
      [
        'schema.properties[f].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[f]',
      ],
    ],
    [
      'when an option is for nothing',
      spec({ n: INT }, { rule: 'self.n > 1', optionalOldSelf: true }),
      [`${at}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`],
    ],
    [
      'when nothing is known of the values',
      within({ 'x-kubernetes-preserve-unknown-fields': true, 'x-kubernetes-validations': [{ rule: 'true' }] }),
      [expect.stringContaining('unable to convert structural schema to CEL declarations')],
    ],
  ];
  it.each(cases)('%s', (_, schema, messages) => {
    const errors: FieldError[] = [];
    ruleErrors(schema, new Set(), 'schema', errors);
    expect(errors.map(toMessage)).toEqual(messages);
  });

  const rules: [string, object, string[]][] = [
    ['no rule', { rule: ' ' }, ['rule: Required value: rule is not specified']],
    ['an empty message', { rule: 'x', message: ' ' }, ['message: Invalid value: " ": must be non-empty if specified']],
    [
      'a message of lines',
      { rule: 'x', message: 'a\nb' },
      ['message: Invalid value: "a\\nb": must not contain line breaks'],
    ],
    [
      'a rule of lines',
      { rule: 'x\ny' },
      ['message: Required value: message must be specified if rule contains line breaks'],
    ],
    [
      'a reason of its own',
      { rule: 'x', reason: 'Bad' },
      [
        'reason: Unsupported value: "Bad": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
      ],
    ],
    ['a path to nowhere', { rule: 'x', fieldPath: '.b' }, ['fieldPath: Invalid value: ".b": must be a valid path']],
  ];
  it.each(rules)('for %s', (_, rule, messages) => {
    const errors: FieldError[] = [];
    const schema = { type: 'object', properties: { a: INT }, 'x-kubernetes-validations': [rule] } as JSONSchemaProps;
    ruleFieldErrors(schema, 's', errors);
    expect(errors.map(toMessage)).toEqual(messages.map((message) => `s.x-kubernetes-validations[0].${message}`));
  });
});
