/** Expressions against what a real API server made of them, where recordings are at hand, and some that need none. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../src/apimachinery/cel/failure.ts';
import { PolicyCompiler } from '../../src/apimachinery/cel/policy.ts';
import { toCel } from '../../src/apimachinery/cel/values.ts';

const RECORDINGS =
  process.env['ZEROPLANE_RECORDINGS'] ?? new URL('../../../shared/fixtures/recorded', import.meta.url).pathname;
const file = join(RECORDINGS, 'cel.json');
if (!existsSync(file)) console.warn(`SKIPPED: no recorded expressions in ${file}`);

interface Row {
  expr: string;
  show?: number;
  value?: string;
  refused?: string[];
}
const rows: Row[] = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Row[]) : [];

/** Refused, in other words. */
const OTHER_WORDS = ['string(null)'];
/** What the recorded server says in its own words, and what is only seen within a whole server. */
const WITHIN_A_SERVER = /authorizer|request\.|namespaceObject/;

/** How the recorder made values visible. */
const SHOW = [
  'string(variables.v)',
  "'%s'.format([variables.v])",
  "variables.v.hasValue() ? '%s'.format([variables.v.value()]) : 'none'",
];

const OBJECT = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'cel-1', namespace: 'rec-cel', labels: { app: 'x' } },
  data: { k: 'v' },
};

function evaluated(expr: string, show: number): { refused: string } | { value: unknown } | { failure: string } {
  const compiler = new PolicyCompiler(false);
  const variable = compiler.variable('v', expr);
  if ('problem' in variable) {
    const { problem, internal } = variable;
    return { refused: internal ? `Internal error: ${problem}` : `Invalid value: ${JSON.stringify(expr)}: ${problem}` };
  }
  const shown = compiler.expression(SHOW[show] ?? 'variables.v', []);
  if ('problem' in shown) return { refused: shown.problem };
  try {
    const bindings = { object: toCel(OBJECT), oldObject: null, request: {}, namespaceObject: null };
    return { value: shown.program.evaluate(compiler.bind(bindings, { left: 1e7 }), { left: 1e7 }) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

describe.runIf(rows.length > 0)('recorded expressions', () => {
  const known = rows.filter(({ expr }) => !WITHIN_A_SERVER.test(expr));
  it.each(known.map((row) => [row.expr, row] as const))('%s', (expr, { show = 0, value = '', refused }) => {
    const result = evaluated(expr, show);
    if (refused !== undefined) {
      expect(result).toHaveProperty('refused');
      if (OTHER_WORDS.includes(expr)) return;
      const [said = ''] = refused;
      expect('refused' in result && result.refused.split('\n')[0]?.trimEnd()).toBe(said.split('\n')[0]);
    } else if (value.includes('resulted in error')) expect(result).toHaveProperty('failure');
    // A value that the recorder could not show is not known.
    else if (!value.startsWith('failed expression'))
      expect(result).toEqual({ value: value.replace(/cel-\d+/, 'cel-1') });
    else expect(result).not.toHaveProperty('problem');
  });
});

describe('expressions', () => {
  const cases: [string, string][] = [
    ['100000.0 * 10.0', '1e+06'],
    ['0.5', '0.5'],
    ["'héLLo'.upperAscii() + 'HÉ'.lowerAscii()", 'HéLLOhÉ'],
    ["duration('90m')", '5400s'],
    ["timestamp('2026-01-01T00:00:00Z')", '2026-01-01T00:00:00Z'],
    ['[3, 4].first().value() + [3, 4].last().value()', '7'],
    ['[].first().orValue(9)', '9'],
    ['optional.of(2).optMap(x, x * 2).value()', '4'],
    ['optional.of(2).optFlatMap(x, optional.none()).hasValue()', 'false'],
    ['optional.none().optMap(x, 1 / 0).hasValue()', 'false'],
    ["optional.ofNonZeroValue('').hasValue()", 'false'],
    ["optional.ofNonZeroValue('a').hasValue()", 'true'],
    ["[{'a': 2}, {'a': 1}].sortBy(e, e.a)[0].a", '1'],
    ["string(b'abc')", 'abc'],
    ['.5e3', '500'],
    ['.object.kind', 'ConfigMap'],
    [String.raw`r"a\"`, 'a\\'],
    ["b'é'.size()", '2'],
    ['-0.0', '-0'],
    ["b'a' < b'b'", 'true'],
    ['{1: "a", 2: "b"}[dyn(1.0)]', 'a'],
    ['[1, 2][dyn(1u)]', '2'],
    ['dyn(1u) in [1]', 'true'],
    ["{1: 'a'}.all(k, k == 1)", 'true'],
    ['optional.of(1) == optional.none()', 'false'],
    ["{?'a': optional.of(1), ?'b': optional.none()} == {'a': 1}", 'true'],
    ["sets.equivalent([{'a': 1}], [{'a': 1}])", 'true'],
    ["[{'a': 1}, {'a': 1}].distinct().size()", '1'],
    ["int(timestamp('1969-12-31T23:59:59.5Z'))", '-1'],
    ["timestamp('2026-01-01T00:00:00+02:00')", '2026-01-01T00:00:00+02:00'],
    ["timestamp('2026-01-01T00:00:00Z') + duration('1ns')", '2026-01-01T00:00:00.000000001Z'],
    ["timestamp('2026-01-01T00:00:00Z').getHours('-00:30')", '23'],
    ["timestamp('2026-07-04T10:20:30Z').getHours('America/New_York')", '6'],
    ["timestamp('2024-12-31T00:00:00Z').getDayOfYear('Asia/Tokyo')", '365'],
    ["duration('1ms') - duration('1us')", '0.000999s'],
    ["'😀a'.indexOf('a') + 'abc'.lastIndexOf('b', 9)", '0'],
    ["'abc'.replace('', '-', 2)", '-a-bc'],
    ["quantity('1.0').isInteger() || quantity('1Ei').isInteger()", 'false'],
    ["quantity('1Ki').add(24).asInteger()", '1048'],
    ["url('https://a/x y').getEscapedPath()", '/x%20y'],
    ["isURL('https://a%20b/') || isURL('https://a:1:2/')", 'false'],
    ["isIP('::ffff:1.2.3.4') || isSemver('1-alpha', true)", 'false'],
    ["'%s'.format([[1.5, b'a', duration('1s'), {1: null}, int]])", '[1.500000, b"a", duration("1s"), {1:null}, int]'],
    ["'%.0f %f %e'.format([2.5, 1234567.0, 0.0 / 0.0])", '2 1,234,567.000000 NaN'],
    ["strings.quote('a\"b')", String.raw`"a\"b"`],
  ];
  it.each(cases)('%s is %s', (expr, value) => {
    expect(evaluated(expr, 0)).toEqual({ value });
  });

  it.each([
    ["dyn(1) + 'a'", 'no such overload'],
    ['dyn(null) + dyn(1)', 'no such overload: _+_'],
    ['9223372036854775807 * 2', 'integer overflow'],
    ["timestamp('9999-12-31T23:59:59Z') + duration('1s')", 'timestamp overflow'],
    ["dyn(5).startsWith('a')", 'no such overload'],
    ['size(dyn(1))', 'no such overload: size'],
    ['dyn([1]).join()', 'no such overload: join(list)'],
    ['[1][1]', 'index out of bounds: 1'],
    ['optional.none().value()', 'optional.none() dereference'],
    ["dyn('abc').all(x, true)", "got 'types.String', expected iterable type"],
    ["1 / 0 == 1 || {'a': 1}['b'] == 1", 'division by zero'],
    ["cidr('10.0.0.0/33')", 'netip.ParsePrefix("10.0.0.0/33"): prefix length out of range'],
    ["lists.range(1000).all(i, lists.range(50000).map(x, 'a').join().charAt(i) == 'a')", 'actual cost limit exceeded'],
    ['lists.range(300).map(x, lists.range(300).map(y, x + y).size()).size()', 'actual cost limit exceeded'],
  ])('%s fails', (expr, words) => {
    const result = evaluated(expr, 3);
    expect('failure' in result && result.failure).toContain(words);
  });

  const refused: [string, string][] = [
    ["bool('x')", "Internal error: program instantiation failed: type conversion error from 'string' to 'bool'"],
    ['uint(-1)', 'Internal error: program instantiation failed: unsigned integer overflow'],
    ['int(1e30)', 'Internal error: program instantiation failed: integer overflow'],
    ["int('x')", "Internal error: program instantiation failed: type conversion error from 'string' to 'int'"],
    ["int(dyn('x'))", "type conversion error from 'string' to 'int'"],
    ["'a'.find('[')", 'Internal error: program instantiation failed: error parsing regexp: missing closing ]: `[`'],
    ['9223372036854775808', 'ERROR: <input>:1:1: invalid int literal'],
    ["{'a': 1}[1]", "found no matching overload for '_[_]' applied to '(map(string, int), int)'"],
    ["{'a': 1, 'b': 'c'}", "ERROR: <input>:1:15: expected type 'int' but found 'string'"],
    ["[1].indexOf('a')", "found no matching overload for 'indexOf' applied to 'list(int).(string)'"],
    ["['a'].sum()", "found no matching overload for 'sum' applied to 'list(string).()'"],
    ['has(1.a)', "ERROR: <input>:1:4: type 'int' does not support field selection"],
    ['[1].all(i, i, true)', 'ERROR: <input>:1:12: duplicate variable name: i'],
    ['namespaceObject.kind', "ERROR: <input>:1:16: undefined field 'kind'"],
    ['true ? true ? 1 : 2 : 3', "ERROR: <input>:1:13: Syntax error: mismatched input '?' expecting ':'"],
    ["'%s'.format([quantity('1')])", 'string clause can only be used on strings'],
    ["'%f'.format([1])", 'fixed-point clause can only be used on doubles, was given int'],
    ["'100%'.format([])", 'ERROR: <input>:1:14: unexpected end of string'],
    ["string(quantity('1000'))", "found no matching overload for 'string' applied to '(kubernetes.Quantity)'"],
    ["duration('x')", 'compilation failed: ERROR: <input>:1:10: invalid duration argument'],
    ["'a'.matches('(')", 'compilation failed: ERROR: <input>:1:13: invalid matches argument'],
    [
      "'%d'.format(['x'])",
      'ERROR: <input>:1:14: error during formatting: decimal clause can only be used on integers, was given string',
    ],
    ["'%s'.format([1, 2])", 'too many arguments supplied to string.format (expected 1, got 2)'],
    ["'%s%s'.format([1])", 'index 1 out of range'],
  ];
  it.each(refused)('%s is refused', (expr, words) => {
    const result = evaluated(expr, 0);
    expect('refused' in result && result.refused).toContain(words);
  });
  it.each(["bool('true')", 'uint(1)', "int('5')", "duration('1s')", "'a'.matches('a+')", "'%d %s'.format([1, 'x'])"])(
    '%s is not',
    (expr) => {
      expect(evaluated(expr, 1)).toHaveProperty('value');
    },
  );
});
