import { describe, expect, it } from 'vitest';
import { selectorProblem } from '../../src/apimachinery/cel/devices.ts';
import { environmentWith } from '../../src/apimachinery/cel/environment.ts';
import { compile } from '../../src/apimachinery/cel/program.ts';

const OPERAND =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const environment = environmentWith({ object: 'dyn', name: 'string' });

/** The first line of each problem, without the beginning that all have. */
function problems(expression: string): string[] {
  const compiled = compile(expression, environment);
  if ('program' in compiled) return [];
  return compiled.problem
    .split('\nERROR')
    .map((problem) => (problem.split('\n')[0] ?? '').replace(/^(ERROR)?: <input>:/, ''));
}

describe('what is wrong with an expression', () => {
  const unknown = (place: string, name: string): string =>
    `${place}: undeclared reference to '${name}' (in container '')`;
  const overload = (place: string, name: string, types: string): string =>
    `${place}: found no matching overload for '${name}' applied to '${types}'`;
  const wanted = (place: string, found: string): string =>
    `${place}: Syntax error: mismatched input '${found}' expecting ${OPERAND}`;
  const cases: [string, string[]][] = [
    ['name == "x"', []],
    ['../x', ["1:2: Syntax error: no viable alternative at input '..'"]],
    ['Bad_Value!', ["1:10: Syntax error: extraneous input '!' expecting <EOF>"]],
    ['a b', ["1:3: Syntax error: extraneous input 'b' expecting <EOF>"]],
    ['a b c', ["1:3: Syntax error: mismatched input 'b' expecting <EOF>"]],
    ['', [`1:0: Syntax error: mismatched input '<EOF>' expecting ${OPERAND}`]],
    ['in', [wanted('1:1', 'in'), wanted('1:3', '<EOF>')]],
    ['-', ["1:2: Syntax error: no viable alternative at input '-'", wanted('1:2', '<EOF>')]],
    ['1.2.3.4', ["1:4: Syntax error: mismatched input '.3' expecting <EOF>"]],
    ['f(1', ["1:4: Syntax error: missing ')' at '<EOF>'"]],
    ['[1, 2', ["1:6: Syntax error: mismatched input '<EOF>' expecting {']', ','}"]],
    ['{1: 2 3}', ["1:7: Syntax error: extraneous input '3' expecting {'}', ','}"]],
    ['true ? 1', ["1:9: Syntax error: mismatched input '<EOF>' expecting ':'"]],
    ['name.true', ["1:6: Syntax error: mismatched input 'true' expecting IDENTIFIER"]],
    ['name &x', ["1:6: Syntax error: token recognition error at: '&x'"]],
    ['let >', ['1:1: reserved identifier: let', wanted('1:6', '<EOF>')]],
    ['1.', ["1:3: Syntax error: no viable alternative at input '.'"]],
    ["'unterminated", ["1:1: Syntax error: token recognition error at: ''unterminated'", wanted('1:14', '<EOF>')]],
    ['name == "x" &&\n  nope', [unknown('2:3', 'nope')]],
    ['a/b/c', [unknown('1:1', 'a'), unknown('1:3', 'b'), unknown('1:5', 'c')]],
    ['1 + 1.0', [overload('1:3', '_+_', '(int, double)')]],
    ['(1) * (2u)', [overload('1:5', '_*_', '(int, uint)')]],
    ['!1', [overload('1:1', '!_', '(int)')]],
    ['1 && true', ["1:1: expected type 'bool' but found 'int'"]],
    ['-1 - true', [overload('1:4', '_-_', '(int, bool)')]],
    ['1[0]', [overload('1:2', '_[_]', '(int, int)')]],
    ['f(x, 1 + nope)', [unknown('1:2', 'f'), unknown('1:3', 'x'), unknown('1:10', 'nope')]],
    ["true ? 'a' : 1", [overload('1:6', '_?_:_', '(bool, string, int)')]],
    ['size(1)', [overload('1:5', 'size', '(int)')]],
    ["'a'.nope()", [unknown('1:9', 'nope')]],
    ["name.startsWith('a', 5)", [overload('1:16', 'startsWith', 'string.(string, int)')]],
    ['object.x.startsWith(5)', [overload('1:20', 'startsWith', 'dyn.(int)')]],
    ["duration('1s') > 1", [overload('1:16', '_>_', '(duration, int)')]],
    ['[[1], ["a"]]', ["1:7: expected type 'list(int)' but found 'list(string)'"]],
    ['has(object)', ['1:5: invalid argument to has() macro']],
    ['cel.bind(x, 1, x)', [unknown('1:1', 'cel')]],
  ];
  it.each(cases)('%s', (expression, expected) => {
    expect(problems(expression)).toEqual(expected);
  });

  it('is shown in its line', () => {
    expect(compile('name ==\n  nope', environment)).toEqual({
      problem: "ERROR: <input>:2:3: undeclared reference to 'nope' (in container '')\n |   nope\n | ..^",
    });
    expect(compile('ü', environment)).toMatchObject({
      problem: expect.stringContaining(" at: 'ü'\n | ü\n | \uff3e\nERROR: <input>:1:2: "),
    });
  });
});

describe('selectors of devices', () => {
  it.each([
    "device.driver == 'x'",
    "device.attributes['x'].model == 'a'",
    "device.capacity['x'].memory.compareTo(quantity('1Gi')) >= 0",
  ])('%s is one', (expression) => {
    expect(selectorProblem(expression)).toBeUndefined();
  });
  it.each([
    ['device.driver', 'must evaluate to bool or the unknown type, not string'],
    ['device.drive == 1', expect.stringContaining("undefined field 'drive'")],
    ['', expect.stringMatching(/^compilation failed: ERROR: <input>:1:0: .*IDENTIFIER\}$/)],
  ])('%s is none', (expression, problem) => {
    expect(selectorProblem(expression)).toEqual(problem);
  });
});
