/**
 * Expressions in which values of named types are made: `Object{spec: Object.spec{replicas: 1}}`. The base library reads no such thing, so
 * it is given calls of a macro in its place; where something stands is told by the text that was written.
 */
import { type Token, tokensOf } from './syntax/lexer.ts';

/** The macro that stands for a construction: the type's name, and its fields as a map. */
export const CONSTRUCT = '__construct';

/** What the base library reads, and where its parts stand in what was written. */
export interface Source {
  written: string;
  text: string;
  /** The types that values are made of. */
  types: readonly string[];
  /** The index into `written` of an index into `text`. */
  at(index: number): number;
}

/** An expression that is read as it is written. */
export const plain = (expression: string): Source => ({
  written: expression,
  text: expression,
  types: [],
  at: (index) => index,
});

interface Edit {
  at: number;
  /** Characters that it stands for. */
  length: number;
  text: string;
  /** Of the beginning of a construction. */
  type?: string;
}

const NAME = /^[A-Za-z_]\w*$/;
/** Words after which a bracket opens a map. */
const NO_TYPES = ['in', 'true', 'false', 'null'];

/** The expression with its constructions as calls. */
export function withConstructions(expression: string): Source {
  const { tokens, unread } = tokensOf(expression);
  const edits = unread.length === 0 ? editsOf(tokens) : [];
  return edits.length === 0 ? plain(expression) : edited(expression, edits);
}

function editsOf(tokens: readonly Token[]): Edit[] {
  const edits: Edit[] = [];
  /** Of each open bracket: whether it is a construction's. */
  const open: boolean[] = [];
  tokens.forEach((token, index) => {
    const { text, at } = token;
    if (text === '{' || text === '(' || text === '[') {
      const type = text === '{' ? typeBefore(tokens, index) : undefined;
      open.push(type !== undefined);
      if (type === undefined) return;
      const { name } = type;
      edits.push({ at: type.at, length: at + 1 - type.at, text: `${CONSTRUCT}("${name}",{`, type: name });
    } else if (text === '}' || text === ')' || text === ']') {
      if (open.pop() === true) edits.push({ at, length: 1, text: '})' });
    } else if (open.at(-1) === true && NAME.test(text) && tokens[index + 1]?.text === ':') {
      const before = tokens[index - 1] as Token;
      if (before.text === '{' || before.text === ',')
        edits.push({ at, length: text.length, text: JSON.stringify(text) });
      const opens = tokens[index - 2]?.text;
      if (before.text === '?' && (opens === '{' || opens === ',')) {
        edits.push({ at: before.at, length: at + text.length - before.at, text: JSON.stringify(`?${text}`) });
      }
    }
  });
  return edits.sort((a, b) => a.at - b.at);
}

/** The name of the type that a bracket makes a value of. */
function typeBefore(tokens: readonly Token[], bracket: number): { name: string; at: number } | undefined {
  let first = bracket - 1;
  const isName = (index: number): boolean => {
    const text = tokens[index]?.text ?? '';
    return NAME.test(text) && !NO_TYPES.includes(text);
  };
  if (!isName(first)) return undefined;
  while (tokens[first - 1]?.text === '.' && isName(first - 2)) first -= 2;
  const named = tokens.slice(first, bracket);
  return { name: named.map(({ text }) => text).join(''), at: (named[0] as Token).at };
}

function edited(written: string, edits: readonly Edit[]): Source {
  /** Where a part of the new text begins, and where that is in the old; a part that was put in is all at one place. */
  const parts: { text: number; written: number; copied: boolean }[] = [];
  let text = '';
  let next = 0;
  const copy = (end: number): void => {
    parts.push({ text: text.length, written: next, copied: true });
    text += written.slice(next, end);
  };
  for (const edit of edits) {
    copy(edit.at);
    parts.push({ text: text.length, written: edit.at, copied: false });
    text += edit.text;
    next = edit.at + edit.length;
  }
  copy(written.length);
  return {
    written,
    text,
    types: [...new Set(edits.flatMap(({ type }) => type ?? []))],
    at(index) {
      const part = parts.findLast((one) => one.text <= index);
      if (part === undefined) return 0;
      return part.written + (part.copied ? index - part.text : 0);
    },
  };
}
