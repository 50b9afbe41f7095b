/** Walks over syntax trees, as far as the base library lets them be seen. */

/** A type: `{ name: 'list<int>', kind: 'list' }`. */
export interface NodeType {
  name: string;
  kind: string;
  keyType?: NodeType;
  valueType?: NodeType;
}

/** A node: some are made by macros, and stand beside what was written. */
export interface Node {
  op: string;
  args: unknown;
  pos?: number;
  end?: number;
  input?: string;
  checkedType?: NodeType;
  /** Of a method: those of its name, and the types that it is called with. */
  candidates?: { findFunction(types: readonly NodeType[], receiver: NodeType): unknown };
  argTypes?: readonly NodeType[];
  meta?: { alternate?: Node; macro?: unknown; check?: unknown; evaluate?: unknown };
  setMeta?(name: 'check' | 'evaluate', value: unknown): unknown;
}

/** A loop, made by a macro. */
export interface Comprehension {
  step: Node;
  /** `quantifier` of what gives a bool. */
  kind?: string;
  condition?: (accumulated: unknown) => boolean;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'op' in value && 'args' in value;

function partsOf(value: unknown): Node[] {
  if (isNode(value)) return [value];
  if (Array.isArray(value)) return value.flatMap(partsOf);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const { iterable, init, step } = value as Record<string, unknown>;
  return [iterable, init, step].filter(isNode);
}

/** Every node once, parents first. */
export function visit(root: Node, see: (node: Node, parents: readonly Node[]) => void): void {
  const seen = new Set<Node>();
  const walk = (node: Node, parents: readonly Node[]): void => {
    if (seen.has(node)) return;
    seen.add(node);
    see(node, parents);
    const inner = [...parents, node];
    for (const part of partsOf(node.args)) walk(part, inner);
    if (node.meta?.alternate !== undefined) walk(node.meta.alternate, inner);
  };
  walk(root, []);
}

/** How many nodes there are. */
export function countNodes(root: Node): number {
  let count = 0;
  visit(root, () => {
    count++;
  });
  return count;
}
