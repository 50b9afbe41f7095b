/** `has()` of a field of whatever there is: the base library knows it of fields of variables alone. */
import type { Node } from '../nodes.ts';
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
export function widenHas(macro: HasMacro): void {
  const checkVariable = macro.typeCheck;
  macro.typeCheck = (checker, self, scope) => {
    const fields: Node[] = [];
    let operand: Node = self.args[0];
    while (isSelection(operand)) {
      fields.push(operand);
      [operand] = operand.args as [Node];
    }
    // What is no selection is for the base library to refuse.
    if (self.args[0].op !== '.' || operand.op === 'id') return checkVariable(checker, self, scope);
    checker.check(operand, scope);
    self.macroHasProps = [...fields, operand];
    return checker.getType('bool');
  };
}
