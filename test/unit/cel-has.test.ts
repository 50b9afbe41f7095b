import { describe, expect, it } from 'vitest';
import { environmentWith } from '../../src/apimachinery/cel/environment.ts';
import { compile } from '../../src/apimachinery/cel/program.ts';

const environment = environmentWith({ self: 'map<string, dyn>', object: 'dyn' });
const object = { a: { x: { y: 1 } }, items: [{ b: 1 }] };

function evaluate(expression: string): unknown {
  const compiled = compile(expression, environment);
  if ('problem' in compiled) return compiled.problem.split('\n')[0];
  try {
    return compiled.program.evaluate({ self: object, object });
  } catch (error) {
    return String(error).split('\n')[0];
  }
}

describe('has()', () => {
  it.each([
    ['self.a.x', true],
    ['self.a.z', false],
    ['self.a["x"].y', true],
    ['self.a["x"].z', false],
    ['object["a"].x.y', true],
    ['self.items[0].b', true],
    ['self.items[0].c', false],
    ['self.items[1].b', 'CelFailure: index out of bounds: 1'],
    ['self.a["z"].y', 'CelFailure: no such key: z'],
    ['{"a": {"b": 1}}.a.b', true],
    ['self["a"]', 'ERROR: <input>:1:9: invalid argument to has() macro'],
    ['self', 'ERROR: <input>:1:5: invalid argument to has() macro'],
    ['nobody[0].x', "ERROR: <input>:1:5: undeclared reference to 'nobody' (in container '')"],
  ])('of %s is %s', (argument, result) => {
    expect(evaluate(`has(${argument})`)).toBe(result);
  });

  it('looks at the variable of a macro', () => {
    expect(evaluate('[object.items].exists(list, has(list[0].b) && !has(list[0].c))')).toBe(true);
  });
});
