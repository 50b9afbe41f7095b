/** What the base library reads, though cel-go's grammar does not. */
import { type Token, tokensOf } from './syntax/lexer.ts';

const OPERATORS = ['+', '-', '*', '/', '%', '<', '<=', '>', '>=', '==', '!=', '&&', '||', 'in', '?', ':', ',', '!'];
const OPENING = ['(', '[', '{'];

/** Whether an operand is to come after this. */
export const operandWanted = (before: Token | undefined): boolean =>
  before === undefined || OPERATORS.includes(before.text) || OPENING.includes(before.text);

/** A choice within another without brackets, `0X1F`. */
export function strictProblem(expression: string): { words: string; at: number } | undefined {
  const { tokens } = tokensOf(expression);
  const choices = [0];
  for (const [index, { text, at }] of tokens.entries()) {
    const before = tokens[index - 1];
    const pending = choices.at(-1) ?? 0;
    if (before !== undefined && /^0$/.test(before.text) && /^X/.test(text) && before.at + 1 === at) {
      return { words: `Syntax error: extraneous input '${text}' expecting <EOF>`, at };
    }
    if (OPENING.includes(text)) choices.push(0);
    else if ([')', ']', '}'].includes(text)) choices.pop();
    else if (text === ':') choices[choices.length - 1] = Math.max(0, pending - 1);
    else if (text === '?' && before?.text !== '.' && !operandWanted(before)) {
      if (pending > 0) return { words: "Syntax error: mismatched input '?' expecting ':'", at };
      choices[choices.length - 1] = pending + 1;
    }
  }
  return undefined;
}
