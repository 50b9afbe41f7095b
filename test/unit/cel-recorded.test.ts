/** Expressions against what a real API server made of them, where recordings are at hand, and some that need none. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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

/** The base library reads neither lists with optional items nor numbers that begin with a dot. */
const NOT_READ = ['[?optional.of(1), ?optional.none()]', '.5'];
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
    return { failure: (error as Error).message };
  }
}

describe.runIf(rows.length > 0)('recorded expressions', () => {
  const known = rows.filter(({ expr }) => !NOT_READ.includes(expr) && !WITHIN_A_SERVER.test(expr));
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
    ["string(quantity('1000'))", '1k'],
    ["string(b'abc')", 'abc'],
  ];
  it.each(cases)('%s is %s', (expr, value) => {
    expect(evaluated(expr, 0)).toEqual({ value });
  });

  const refused: [string, string][] = [
    ["bool('x')", "Internal error: program instantiation failed: type conversion error from 'string' to 'bool'"],
    ['uint(-1)', 'Internal error: program instantiation failed: unsigned integer overflow'],
    ['int(1e30)', 'Internal error: program instantiation failed: integer overflow'],
    ["int('x')", 'Internal error: program instantiation failed: strconv.ParseInt: parsing "x": invalid syntax'],
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
