/** `has()` of a field of whatever there is: the base library knows it of fields of variables alone. */
import type { Node } from '../nodes.ts';
import { Misfit } from './library.ts';
import type { Checker, Scope, Type } from './two-variables.ts';

/** Of the base library, as far as it is used. */
export interface HasMacro {
  args: [Node];
  /** The fields from the last to the first, and what they are fields of. */
  macroHasProps?: Node[];
  typeCheck(checker: Checker, macro: HasMacro, scope: Scope): Type;
}

const isSelection = ({ op }: Node): boolean => op === '.' || op === '.?';

/** To be called once for each call of `has`, before it is checked. */
export function widenHas(node: Node, macro: HasMacro): void {
  const checkArgument = macro.typeCheck;
  macro.typeCheck = (checker, self, scope) => {
    const [selection] = self.args;
    // What is no selection is for the base library to refuse.
    if (selection.op !== '.') return checkArgument(checker, self, scope);
    const [operand, name] = selection.args as [Node, string];
    const type = checker.check(operand, scope);
    const field = checker.objectTypes.get(type.name)?.fields;
    if (field !== undefined && field[name] === undefined) throw new Misfit(`undefined field '${name}'`, node);
    if (!SELECTED.includes(type.kind)) throw new Misfit(`type '${type.name}' does not support field selection`, node);
    self.macroHasProps = fieldsOf(selection);
    return checker.getType('bool');
  };
}

const SELECTED = ['dyn', 'map', 'message', 'optional', 'param'];

/** The fields from the last to the first, and what they are fields of: an optional one among them decides of all after it. */
function fieldsOf(selection: Node): Node[] {
  const fields: Node[] = [];
  let operand = selection;
  while (isSelection(operand)) {
    fields.push(operand);
    [operand] = operand.args as [Node];
  }
  return fields.some(({ op }) => op === '.?')
    ? [...fields, operand]
    : [selection, ...(selection.args as [Node]).slice(0, 1)];
}
