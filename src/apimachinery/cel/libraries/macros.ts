/** Macros of one variable that the base library does without: of optionals, and of sorted lists. */
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { OPTIONAL_ITEM, OPTIONAL_KEY } from '../source.ts';
import { nanosecondsOf } from '../time.ts';
import { compareValues, entriesOf, kindOf } from '../values.ts';
import type { Library } from './library.ts';
import { none, type Optional, some } from './optionals.ts';
import {
  type Checker,
  type Evaluator,
  type Expansion,
  type Node,
  nameOf,
  type Scope,
  type Type,
  turns,
} from './two-variables.ts';

/** How a macro answers: `each` evaluates its expression for a value. */
type Answer = (value: unknown, each: (value: unknown) => unknown) => unknown;

function macro(
  name: string,
  variableOf: (type: Type) => Type,
  resultOf: (receiver: Type, result: Type) => string,
  answer: Answer,
) {
  return ({ args, receiver }: Expansion) => {
    const variable = nameOf(args[0], name);
    const step = args[1] as Node;
    let inside: Scope | undefined;
    return {
      async: false,
      typeCheck(checker: Checker, _: unknown, scope: Scope): Type {
        const type = checker.check(receiver, scope);
        inside = scope.forkWithVariable(variable, variableOf(type) ?? checker.getType('dyn'));
        return checker.getType(resultOf(type, checker.check(step, inside)));
      },
      evaluate(evaluator: Evaluator, _: unknown, scope: Scope): unknown {
        const each = (value: unknown): unknown => {
          turns.spend();
          const within = inside?.reuse(scope).setIterValue(value, evaluator);
          return evaluator.run(step, within ?? scope);
        };
        return answer(evaluator.run(receiver, scope), each);
      },
    };
  };
}

const mapped: Answer = (value, each) =>
  (value as Optional).hasValue() ? some(each((value as Optional).value())) : none();
const flatMapped: Answer = (value, each) =>
  (value as Optional).hasValue() ? each((value as Optional).value()) : none();
const sorted: Answer = (value, each) =>
  (value as unknown[])
    .map((item) => ({ item, key: each(item) }))
    .sort((a, b) => compareValues(a.key, b.key))
    .map(({ item }) => item);

function isZero(value: unknown): boolean {
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Duration) return nanosecondsOf(value) === 0n;
  if (value instanceof UnsignedInt) return String(value) === '0';
  return kindOf(value) === 'map' && entriesOf(value as object).length === 0;
}

export const macros: Library = (environment) => {
  const elementOf = ({ valueType }: Type): Type => valueType;
  const add = (signature: string, made: ReturnType<typeof macro>): void => {
    environment.registerFunction(signature, made as unknown as (...values: unknown[]) => unknown);
  };
  add(
    'optional.optMap(ast, ast): optional<dyn>',
    macro('optMap', elementOf, (_, result) => `optional<${result.name}>`, mapped),
  );
  add(
    'optional.optFlatMap(ast, ast): optional<dyn>',
    macro('optFlatMap', elementOf, (_, result) => result.name, flatMapped),
  );
  add(
    'list.sortBy(ast, ast): list<dyn>',
    macro('sortBy', elementOf, ({ name }) => name, sorted),
  );
  environment.registerFunction(`${OPTIONAL_ITEM}(optional<A>): A`, (optional: unknown) => optional);
  environment.registerFunction(`${OPTIONAL_KEY}(A): A`, (key: unknown) => key);
  environment.registerFunction('OptionalNamespace.ofNonZeroValue(A): optional<A>', (_: unknown, value: unknown) =>
    isZero(value) ? none() : some(value),
  );
};
