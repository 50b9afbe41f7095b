/** What cannot be read of an expression, told as cel-go's parser tells it. */

/** What an operand can begin with, as the grammar names it. */
const OPERAND =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const TOKEN =
  /\s+|\/\/[^\n]*|(?:[rRbB]{0,2}(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?|0x[\da-fA-F]+[uU]?|[A-Za-z_]\w*|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]/y;
const OPERATORS = ['+', '-', '*', '/', '%', '<', '<=', '>', '>=', '==', '!=', '&&', '||', 'in', '?', ':', ',', '!'];
const OPENING = ['(', '[', '{'];

/** A word or a sign of an expression. */
export interface Token {
  text: string;
  at: number;
}

/** All that can be read, and what cannot: characters that begin nothing. */
export function tokensOf(expression: string): { tokens: Token[]; unread: Token | undefined } {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.length) {
    const at = TOKEN.lastIndex;
    const text = TOKEN.exec(expression)?.[0];
    if (text === undefined) {
      const isText = /^['"]/.test(expression.slice(at));
      return { tokens, unread: { text: isText ? expression.slice(at) : (expression[at] as string), at } };
    }
    if (!/^(?:\s|\/\/)/.test(text)) tokens.push({ text, at });
  }
  return { tokens, unread: undefined };
}

/** The words and the place of the first problem; `failed` is where the base library gave up. */
export function syntaxProblem(expression: string, failed: number): { words: string; at: number } {
  const { tokens, unread } = tokensOf(expression);
  if (unread !== undefined && unread.at <= failed) {
    return { words: `Syntax error: token recognition error at: '${unread.text}'`, at: unread.at };
  }
  const found = tokens.findIndex(({ at }) => at >= failed);
  let index = found < 0 ? tokens.length : found;
  // After a dot a name is looked for: what stands there is what is wrong, not the dot.
  if (tokens[index]?.text === '.' && operandWanted(tokens[index - 1])) index++;
  const before = tokens[index - 1];
  const token = tokens[index];
  const at = token?.at ?? expression.length;
  const text = token?.text ?? '<EOF>';
  const words = (problem: string) => ({ words: `Syntax error: ${problem}`, at });
  if (before?.text === '.') return words(`no viable alternative at input '.${token?.text ?? ''}'`);
  if (operandWanted(before)) return words(`mismatched input '${text}' expecting ${OPERAND}`);
  const open = unclosed(tokens.slice(0, index));
  if (open !== undefined) return words(`mismatched input '${text}' expecting ${open}`);
  return words(`${index === tokens.length - 1 ? 'extraneous' : 'mismatched'} input '${text}' expecting <EOF>`);
}

const operandWanted = (before: Token | undefined): boolean =>
  before === undefined || OPERATORS.includes(before.text) || OPENING.includes(before.text);

/** What would close the innermost bracket that is open. */
function unclosed(tokens: readonly Token[]): string | undefined {
  const open: string[] = [];
  for (const { text } of tokens) {
    if (OPENING.includes(text)) open.push(text);
    else if (text === ')' || text === ']' || text === '}') open.pop();
  }
  switch (open.at(-1)) {
    case '(':
      return "')'";
    case '[':
      return "']'";
    case '{':
      return "'}'";
    default:
      return undefined;
  }
}
