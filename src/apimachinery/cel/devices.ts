/** The expressions that select devices (upstream's `dynamic-resource-allocation/cel`). */
import type { Environment } from '@marcbachmann/cel-js/evaluator';
import { environmentWith } from './environment.ts';
import { compile, unfitText } from './program.ts';

const DEVICE = {
  driver: 'string',
  attributes: 'map<string, map<string, dyn>>',
  capacity: 'map<string, map<string, kubernetes.Quantity>>',
  allowMultipleAllocations: 'bool',
};

let base: Environment | undefined;

/** What is wrong with a selector; undefined for a good one. */
export function selectorProblem(expression: string): string | undefined {
  if (base === undefined) {
    base = environmentWith({});
    base.registerVariable('device', { schema: DEVICE });
  }
  const compiled = compile(expression, base);
  if ('problem' in compiled) return unfitText(compiled);
  const { type } = compiled.program;
  return type === 'bool' || type === 'dyn' ? undefined : `must evaluate to bool or the unknown type, not ${type}`;
}
