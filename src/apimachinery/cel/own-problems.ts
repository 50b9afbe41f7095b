/** What cel-go's checker and Kubernetes' validators find in an expression beside what the base library does. */
import type { Environment } from '@marcbachmann/cel-js/evaluator';
import { written } from './libraries/replaced.ts';
import { type Node, type NodeType, visit } from './nodes.ts';
import { CONSTRUCT, OPTIONAL_ITEM } from './source.ts';

/** What is wrong, in the base library's words or cel-go's, and with which node. */
interface Found {
  summary: string;
  node: Node;
}

/** Names that only stand before functions. */
const NAMESPACES = ['sets', 'lists', 'optional', 'format', 'cel', 'strings', 'jsonpatch'];
const MAX_INT = 2n ** 63n - 1n;

/** The problems of a checked expression. */
export function ownProblems(root: Node, environment: Environment): Found[] {
  const found: Found[] = [];
  visit(root, (node, parents) => {
    const one = problem(node, parents, environment);
    if (one !== undefined) found.push(one);
  });
  return found;
}

function problem(node: Node, parents: readonly Node[], environment: Environment): Found | undefined {
  const parent = parents.at(-1);
  const at = (summary: string | undefined): Found | undefined =>
    summary === undefined ? undefined : { summary, node };
  switch (node.op) {
    case 'list':
      return isFormatted(parents) ? undefined : oddOne(itemsOf(node));
    case 'map': {
      if (isFormatted(parents) || isConstruction(parent)) return undefined;
      const pairs = node.args as [Node, Node][];
      return oddOne(pairs.map(([key]) => key)) ?? oddOne(pairs.map(([, value]) => value));
    }
    case 'rcall':
      return at(wrongCall(node) ?? wrongItem(node));
    case '.':
      return at(unknownOfNamespace(node));
    case '[]':
    case '[?]':
      return at(wrongIndex(node));
    case 'value':
      return tooLarge(node, parent) ? at('invalid int literal') : undefined;
    case 'id':
      return isMisused(node, parent, environment) ? at(`Unknown variable: ${String(node.args)}`) : undefined;
    default:
      return undefined;
  }
}

const itemsOf = ({ args }: Node): Node[] =>
  (args as Node[]).filter((item) => !(item.op === 'call' && (item.args as unknown[])[0] === OPTIONAL_ITEM));

const isFormatted = (parents: readonly Node[]): boolean =>
  parents.some(({ op, args }) => op === 'rcall' && Array.isArray(args) && args[0] === 'format');

/** The fields of a value that is made have each a type of its own. */
const isConstruction = (parent: Node | undefined): boolean =>
  parent?.op === 'call' && (parent.args as unknown[])[0] === CONSTRUCT;

const isDyn = (type: NodeType | undefined): boolean =>
  type === undefined || type.kind === 'dyn' || type.kind === 'param';

/** Kubernetes wants lists and maps of one type, but for what is formatted (`HomogeneousAggregateLiterals`). */
function oddOne(nodes: readonly Node[]): Found | undefined {
  const types = nodes.map(({ checkedType }) => checkedType);
  const [first] = types;
  const odd = types.findIndex((type) => !fits(first, type));
  if (odd <= 0) return undefined;
  return { summary: `expected type '${first?.name}' but found '${types[odd]?.name}'`, node: nodes[odd] as Node };
}

/** Whether two types can be the same; of what is open, anything can. */
export function fits(a: NodeType | undefined, b: NodeType | undefined): boolean {
  if (a === undefined || b === undefined || a.name === b.name || isDyn(a) || isDyn(b)) return true;
  if (a.kind !== b.kind || a.valueType === undefined || b.valueType === undefined) return false;
  return fits(a.valueType, b.valueType) && fits(a.keyType, b.keyType);
}

/** Of a value of any type the base library asks only when it is there; that no function takes such arguments is known before. */
function wrongCall({ args, candidates, argTypes }: Node): string | undefined {
  const [name, receiver] = args as [string, Node];
  const type = receiver.checkedType;
  if (type?.kind !== 'dyn' || candidates === undefined || argTypes === undefined) return undefined;
  if (candidates.findFunction(argTypes, type) !== null) return undefined;
  return `found no matching overload for '${type.name}.${name}(${argTypes.map((one) => one.name).join(', ')})'`;
}

/** Of lists and what is looked for in them, or two lists, the items must be of one type. */
function wrongItem({ args, argTypes = [] }: Node): string | undefined {
  const [called, receiver] = args as [string, Node];
  const name = written(called);
  const list = receiver.checkedType;
  const names = argTypes.map((one) => one.name).join(', ');
  if (list?.name === 'Sets') {
    return argTypes.length === 2 && !fits(argTypes[0], argTypes[1])
      ? `found no matching overload for 'sets.${name}' applied to '(${names})'`
      : undefined;
  }
  if (list?.kind !== 'list') return undefined;
  const isSearch = name === 'indexOf' || name === 'lastIndexOf';
  const isFlat = name === 'flatten' && list.valueType?.kind !== 'list' && !isDyn(list.valueType);
  const isOdd = isSearch && !fits(list.valueType, argTypes[0]);
  return isFlat || isOdd ? `found no matching overload for '${list.name}.${name}(${names})'` : undefined;
}

function wrongIndex({ args }: Node): string | undefined {
  const [target, place] = (args as Node[]).map(({ checkedType }) => checkedType);
  const isMap = target?.kind === 'map' && !fits(target.keyType, place);
  const isMessage = target?.kind === 'message';
  return isMap || isMessage
    ? `found no matching overload for '_[_]' applied to '(${target.name}, ${place?.name})'`
    : undefined;
}

/** An int that needs a sign to be one. */
function tooLarge({ args }: Node, parent: Node | undefined): boolean {
  return typeof args === 'bigint' && args > (parent?.op === '-_' ? MAX_INT + 1n : MAX_INT);
}

/** A namespace that stands alone. */
function isMisused(node: Node, parent: Node | undefined, environment: Environment): boolean {
  const name = node.args as string;
  if (!NAMESPACES.includes(name)) return false;
  const isCalled = parent?.op === 'rcall' && (parent.args as unknown[])[1] === node;
  const { variables } = environment.getDefinitions();
  const isNamespace = variables.some((one) => one.name === name && /^[A-Z]\w+$/.test(one.type));
  return isNamespace && (name === 'cel' || !isCalled);
}

type Fields = { readonly [name: string]: Fields | true };

/** What `namespaceObject` is known to have; below what is true, anything. */
const NAMESPACE_FIELDS: Fields = {
  metadata: Object.fromEntries(
    (
      'name generateName namespace labels annotations UID creationTimestamp deletionGracePeriodSeconds deletionTimestamp' +
      ' generation resourceVersion finalizers'
    )
      .split(' ')
      .map((name) => [name, true]),
  ),
  spec: { finalizers: true },
  status: { conditions: true, phase: true },
};

/** It may be null, so that its type is open: what fields there are is checked apart. */
function unknownOfNamespace(node: Node): string | undefined {
  const [target, name] = node.args as [Node, string];
  const fields = fieldsOfNamespace(target);
  return fields === undefined || Object.hasOwn(fields, name) ? undefined : `No such key: ${name}`;
}

function fieldsOfNamespace(node: Node): Fields | undefined {
  if (node.op === 'id') return node.args === 'namespaceObject' ? NAMESPACE_FIELDS : undefined;
  if (node.op !== '.') return undefined;
  const [target, name] = node.args as [Node, string];
  const fields = fieldsOfNamespace(target)?.[name];
  return fields === true ? undefined : fields;
}
