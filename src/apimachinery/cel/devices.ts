/** The expressions that select devices (upstream's `dynamic-resource-allocation/cel`). */
import type { Environment } from '@marcbachmann/cel-js/evaluator';
import { parseQuantity } from '../quantity.ts';
import { environmentWith } from './environment.ts';
import { failureOf } from './failure.ts';
import { CelQuantity } from './libraries/quantity.ts';
import { toSemver } from './libraries/semver.ts';
import { type Budget, compile, type Program, unfitText } from './program.ts';

const DEVICE = {
  driver: 'string',
  attributes: 'map<string, map<string, dyn>>',
  capacity: 'map<string, map<string, kubernetes.Quantity>>',
  allowMultipleAllocations: 'bool',
};

/** A device as selectors see it; names without a domain are in the driver's. */
export interface SelectableDevice {
  readonly driver: string;
  readonly attributes?: Readonly<
    Record<string, { int?: number; bool?: boolean; string?: string; version?: string } | undefined>
  >;
  readonly capacity?: Readonly<Record<string, { value?: string } | undefined>>;
  readonly allowMultipleAllocations?: boolean;
}

let base: Environment | undefined;

type Selector = { readonly program: Program } | { readonly problem: string };

function selector(expression: string): Selector {
  if (base === undefined) {
    base = environmentWith({});
    base.registerVariable('device', { schema: DEVICE });
  }
  const compiled = compile(expression, base);
  if ('problem' in compiled) return { problem: unfitText(compiled) };
  const { type } = compiled.program;
  if (type === 'bool' || type === 'dyn') return compiled;
  return { problem: `must evaluate to bool or the unknown type, not ${type}` };
}

/** What is wrong with a selector; undefined for a good one. */
export function selectorProblem(expression: string): string | undefined {
  const made = selector(expression);
  return 'problem' in made ? made.problem : undefined;
}

/** Selectors are few and used often. */
const MOST_SELECTORS = 100;
const selectors = new Map<string, Selector>();

/** Whether a selector chooses a device, a {@link deviceVariable}. Throws an Error with upstream's words when it cannot tell. */
export function selectsDevice(expression: string, device: unknown, budget?: Budget): boolean {
  let made = selectors.get(expression);
  if (made === undefined) {
    if (selectors.size >= MOST_SELECTORS) selectors.clear();
    made = selector(expression);
    selectors.set(expression, made);
  }
  if ('problem' in made) throw new Error(`CEL compile error: ${made.problem}`);
  let value: unknown;
  try {
    value = made.program.evaluate({ device }, budget);
  } catch (error) {
    throw new Error(`CEL runtime error: ${failureOf(error)}`);
  }
  if (typeof value !== 'boolean') throw new Error('CEL runtime error: the result is no bool');
  return value;
}

type Domains<T> = Map<string, Map<string, T>>;

/** A domain that a device does not know is an empty one. The evaluator knows maps by their constructor: this must be no class. */
function domains<T>(): Domains<T> {
  const map: Domains<T> = new Map();
  const find = map.get.bind(map);
  map.get = (domain) => find(domain) ?? new Map<string, T>();
  return map;
}

function put<T>(map: Domains<T>, name: string, driver: string, value: T): void {
  const slash = name.indexOf('/');
  const domain = slash < 0 ? driver : name.slice(0, slash);
  map.set(domain, (map.get(domain) ?? new Map<string, T>()).set(name.slice(slash + 1), value));
}

/** The variable `device` of {@link selectsDevice}; made once for each device. Throws an Error for what is no attribute or quantity. */
export function deviceVariable({ driver, attributes, capacity, allowMultipleAllocations }: SelectableDevice): unknown {
  const known = domains<unknown>();
  for (const [name, attribute] of Object.entries(attributes ?? {})) {
    const { int, bool, string, version } = attribute ?? {};
    const value = int === undefined ? (bool ?? string ?? (version && toSemver(version))) : BigInt(int);
    if (value === undefined) throw new Error(`attribute ${name}: unsupported attribute value`);
    put(known, name, driver, value);
  }
  const has = domains<CelQuantity>();
  for (const [name, entry] of Object.entries(capacity ?? {})) {
    put(has, name, driver, new CelQuantity(parseQuantity(entry?.value ?? '0')));
  }
  return {
    driver,
    attributes: known,
    capacity: has,
    allowMultipleAllocations: allowMultipleAllocations === true,
  };
}
