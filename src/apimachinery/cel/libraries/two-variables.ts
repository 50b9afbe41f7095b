/**
 * Comprehensions over index and value, or key and value: cel-go's `ext.TwoVarComprehensions`. The base library lets macros be added, but
 * says nothing of their types; what is used of it stands here.
 */
import { celEqual } from '../values.ts';
import { fail, type Library, Misfit } from './library.ts';

/** Of the base library, as far as it is used. */
export interface Node {
  op: string;
  args: unknown;
}
/** Of the base library, as far as it is used. */
export interface Type {
  name: string;
  kind: string;
  keyType: Type;
  valueType: Type;
}
/** Of the base library, as far as it is used. */
export interface Scope {
  forkWithVariable(name: string, type: Type): Scope;
  reuse(parent: Scope): Scope;
  setIterValue(value: unknown, evaluator: Evaluator): Scope;
}
/** Of the base library, as far as it is used. */
export interface Checker {
  check(node: Node, scope: Scope): Type;
  getType(name: string): Type;
  /** Types that have fields. */
  objectTypes: ReadonlyMap<string, { fields?: Readonly<Record<string, Type>> }>;
}
/** Of the base library, as far as it is used. */
export interface Evaluator {
  run(node: Node, scope: Scope): unknown;
  tryEval(node: Node, scope: Scope): unknown;
}
/** Of the base library, as far as it is used. */
export interface Expansion {
  args: Node[];
  receiver: Node;
}
type Step = (place: unknown, value: unknown, run: (node: Node) => unknown) => void;

interface Loop {
  range: Node;
  outer: Scope;
  inner: Scope;
}

/** Counts the turns of loops, and what functions go through; set for the time of an evaluation. */
export const turns: { spend: (cost?: number) => void } = { spend: () => {} };

/** The name of a macro's variable. */
export function nameOf(node: Node | undefined, macro: string): string {
  if (node?.op !== 'id') fail(`${macro}() variable name must be a simple identifier`);
  return node?.args as string;
}

function entriesOf(range: unknown): [unknown, unknown][] {
  if (Array.isArray(range)) return range.map((value, index) => [BigInt(index), value]);
  if (range instanceof Map) return [...range];
  if (typeof range === 'object' && range !== null) return Object.entries(range);
  return fail('range of a comprehension must be a list or a map');
}

/** A macro of two variables; `fold` makes the loop that answers. */
function macro(
  name: string,
  result: string,
  fold: (args: Node[]) => { step: Step; done?: () => boolean; answer: () => unknown },
) {
  return ({ args, receiver }: Expansion) => {
    const [first, second, ...rest] = args;
    const names = [nameOf(first, name), nameOf(second, name)] as const;
    if (names[0] === names[1]) throw new Misfit(`duplicate variable name: ${names[1]}`, second as Node);
    const loop: Loop = { range: receiver, outer: undefined as unknown as Scope, inner: undefined as unknown as Scope };
    return {
      loop,
      async: false,
      typeCheck(checker: Checker, _: unknown, scope: Scope): Type {
        const range = checker.check(receiver, scope);
        const dyn = checker.getType('dyn');
        const isMap = range.kind === 'map';
        const place = isMap ? range.keyType : range.kind === 'list' ? checker.getType('int') : dyn;
        loop.outer = scope.forkWithVariable(names[0], place);
        loop.inner = loop.outer.forkWithVariable(names[1], range.valueType ?? dyn);
        for (const node of rest) checker.check(node, loop.inner);
        return checker.getType(result);
      },
      evaluate(evaluator: Evaluator, _: unknown, scope: Scope): unknown {
        const range = evaluator.run(receiver, scope);
        const { step, done, answer } = fold(rest);
        for (const [place, value] of entriesOf(range)) {
          if (done?.() === true) break;
          turns.spend();
          const outer = loop.outer.reuse(scope).setIterValue(place, evaluator);
          const inner = loop.inner.reuse(outer).setIterValue(value, evaluator);
          step(place, value, (node) => evaluator.tryEval(node, inner));
        }
        return answer();
      },
    };
  };
}

/** A failure of one turn counts only when no other turn decides. */
function quantifier(decides: boolean) {
  return ([predicate]: Node[]) => {
    let decided = false;
    let failure: unknown;
    return {
      step: (_: unknown, __: unknown, run: (node: Node) => unknown) => {
        const holds = run(predicate as Node);
        if (holds instanceof Error) failure ??= holds;
        else if (holds === decides) decided = true;
      },
      done: () => decided,
      answer: () => {
        if (!decided && failure !== undefined) throw failure;
        return decided === decides;
      },
    };
  };
}

const must = (value: unknown): unknown => {
  if (value instanceof Error) throw value;
  return value;
};

function existsOne([predicate]: Node[]) {
  let count = 0;
  return {
    step: (_: unknown, __: unknown, run: (node: Node) => unknown) => {
      if (must(run(predicate as Node)) === true) count++;
    },
    answer: () => count === 1,
  };
}

function transformList(args: Node[]) {
  const [filter, transform] = args.length === 2 ? args : [undefined, args[0]];
  const list: unknown[] = [];
  return {
    step: (_: unknown, __: unknown, run: (node: Node) => unknown) => {
      if (filter === undefined || must(run(filter)) === true) list.push(must(run(transform as Node)));
    },
    answer: () => list,
  };
}

function transformMap(args: Node[]) {
  const [filter, transform] = args.length === 2 ? args : [undefined, args[0]];
  const map = new Map<unknown, unknown>();
  return {
    step: (place: unknown, _: unknown, run: (node: Node) => unknown) => {
      if (filter === undefined || must(run(filter)) === true) map.set(place, must(run(transform as Node)));
    },
    answer: () => map,
  };
}

function transformMapEntry(args: Node[]) {
  const [filter, transform] = args.length === 2 ? args : [undefined, args[0]];
  const map = new Map<unknown, unknown>();
  return {
    step: (_: unknown, __: unknown, run: (node: Node) => unknown) => {
      if (filter !== undefined && must(run(filter)) !== true) return;
      for (const [key, value] of entriesOf(must(run(transform as Node)))) {
        if ([...map.keys()].some((other) => celEqual(other, key)))
          fail(`insert failed: key ${String(key)} already exists`);
        map.set(key, value);
      }
    },
    answer: () => map,
  };
}

export const twoVariables: Library = (environment) => {
  const add = (name: string, types: string, result: string, fold: Parameters<typeof macro>[2]): void => {
    const expander = macro(name, result, fold) as unknown as (...values: unknown[]) => unknown;
    // Macros are found by name and number of arguments: whose they are said to be does not matter.
    environment.registerFunction(`list.${name}(${types}): ${result}`, expander);
  };
  add('all', 'ast, ast, ast', 'bool', quantifier(false));
  add('exists', 'ast, ast, ast', 'bool', quantifier(true));
  add('existsOne', 'ast, ast, ast', 'bool', existsOne);
  add('exists_one', 'ast, ast, ast', 'bool', existsOne);
  for (const types of ['ast, ast, ast', 'ast, ast, ast, ast']) {
    add('transformList', types, 'list', transformList);
    add('transformMap', types, 'map', transformMap);
    add('transformMapEntry', types, 'map', transformMapEntry);
  }
};
