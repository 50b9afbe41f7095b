/**
 * Expressions that the base library does not read as they are written: values of named types (`Object{spec: Object.spec{replicas: 1}}`),
 * entries that may be absent (`[?a]`), some literals. It is given something else in their place; where something stands is told by the
 * text that was written.
 */
import { literalEdit } from './literal-text.ts';
import { operandWanted } from './strict.ts';
import { type Token, tokensOf } from './syntax/lexer.ts';

/** The macro that stands for a construction: the type's name, and its fields as a map. */
export const CONSTRUCT = '__construct';
/** The functions that stand for a question mark before an item, or before a key and its value. */
export const OPTIONAL_ITEM = '__optional_item';
export const OPTIONAL_KEY = '__optional_key';

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
const plain = (expression: string): Source => ({
  written: expression,
  text: expression,
  types: [],
  at: (index) => index,
});

/** The expression as the base library reads it; values of named types are made in mutations alone. */
export function readable(expression: string): Source {
  const { tokens, unread } = tokensOf(expression);
  const edits = unread.length === 0 ? plainEdits(tokens) : [];
  return edits.length === 0 ? plain(expression) : edited(expression, edits);
}

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
  const edits = unread.length === 0 ? [...constructions(tokens), ...plainEdits(tokens, true)] : [];
  return edits.length === 0 ? plain(expression) : edited(expression, edits);
}

function plainEdits(tokens: readonly Token[], constructs = false): Edit[] {
  return [...tokens.flatMap((_, index) => tokenEdit(tokens, index) ?? []), ...optionals(tokens, constructs)];
}

function tokenEdit(tokens: readonly Token[], index: number): Edit | undefined {
  const { text, at } = tokens[index] as Token;
  const [before, after] = [tokens[index - 1], tokens[index + 1]];
  // A name from the root, of which there is one.
  if (text === '.' && operandWanted(before) && NAME.test(after?.text ?? '')) return { at, length: 1, text: '' };
  const isEmpty = (before?.text === '[' && after?.text === ']') || (before?.text === '{' && after?.text === '}');
  if (text === ',' && isEmpty) return { at, length: 1, text: '' };
  const literal = literalEdit(text);
  return literal === undefined ? undefined : { at, length: text.length, text: literal };
}

/** Entries after a question mark: of lists, and of maps that are none of a construction. */
function optionals(tokens: readonly Token[], constructs: boolean): Edit[] {
  const edits: Edit[] = [];
  const open: { takes: 'item' | 'key' | undefined; entry: 'item' | 'key' | 'value' | undefined }[] = [];
  const close = (at: number): void => {
    const around = open.at(-1);
    if (around?.entry === undefined) return;
    edits.push({ at, length: 0, text: ')' });
    around.entry = undefined;
  };
  tokens.forEach(({ text, at }, index) => {
    const around = open.at(-1);
    const before = tokens[index - 1]?.text ?? '';
    if (text === '(' || text === '[' || text === '{') {
      const isList = text === '[' && operandWanted(tokens[index - 1]);
      const isMap = text === '{' && !(constructs && typeBefore(tokens, index) !== undefined);
      open.push({ takes: isList ? 'item' : isMap ? 'key' : undefined, entry: undefined });
    } else if (text === ')' || text === ']' || text === '}') {
      close(at);
      open.pop();
    } else if (text === ',') {
      close(at);
    } else if (text === '?' && around?.takes !== undefined && ['[', '{', ','].includes(before)) {
      edits.push({ at, length: 1, text: `${around.takes === 'item' ? OPTIONAL_ITEM : OPTIONAL_KEY}(` });
      around.entry = around.takes;
    } else if (text === ':' && around?.entry === 'key') {
      edits.push({ at, length: 1, text: `):${OPTIONAL_ITEM}(` });
      around.entry = 'value';
    }
  });
  return edits;
}

function constructions(tokens: readonly Token[]): Edit[] {
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
  return edits;
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
  for (const edit of [...edits].sort((a, b) => a.at - b.at)) {
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
