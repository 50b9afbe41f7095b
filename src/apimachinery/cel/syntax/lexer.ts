/** The words and signs of an expression, as cel-go's lexer tells them apart. */

/** Kinds of tokens in the grammar's order, by which expected ones are listed. */
export const KINDS = [
  '<EOF>',
  "'=='",
  "'!='",
  "'in'",
  "'<'",
  "'<='",
  "'>='",
  "'>'",
  "'&&'",
  "'||'",
  "'['",
  "']'",
  "'{'",
  "'}'",
  "'('",
  "')'",
  "'.'",
  "','",
  "'-'",
  "'!'",
  "'?'",
  "':'",
  "'+'",
  "'*'",
  "'/'",
  "'%'",
  "'true'",
  "'false'",
  "'null'",
  'NUM_FLOAT',
  'NUM_INT',
  'NUM_UINT',
  'STRING',
  'BYTES',
  'IDENTIFIER',
  'ESC_IDENTIFIER',
] as const;

export type Kind = (typeof KINDS)[number];

/** A word or a sign of an expression. */
export interface Token {
  kind: Kind;
  text: string;
  at: number;
}

/** Characters that begin nothing. */
export interface Unread {
  text: string;
  at: number;
}

const ESCAPE = String.raw`\\(?:[abfnrtv"'\\?\x60]|[xX][\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-3][0-7]{2})`;
const QUOTED = ['"', "'"].flatMap((quote) => [
  String.raw`${quote.repeat(3)}(?:${ESCAPE}|[^\\])*?${quote.repeat(3)}`,
  `[rR]${quote.repeat(3)}[^]*?${quote.repeat(3)}`,
  String.raw`${quote}(?:${ESCAPE}|[^\\\n\r${quote}])*${quote}`,
  String.raw`[rR]${quote}[^\n\r${quote}]*${quote}`,
]);
const TEXT = `(?:${QUOTED.join('|')})`;

/** Of several that match, the longest is meant; of those as long as each other, the first. */
const RULES: readonly [kind: Kind | undefined, pattern: RegExp][] = [
  ...KINDS.filter((kind) => kind.startsWith("'")).map((kind): [Kind, RegExp] => [
    kind,
    new RegExp(kind.slice(1, -1).replace(/[^\w]/g, '\\$&'), 'y'),
  ]),
  [undefined, /[\t \r\n\f]+/y],
  [undefined, /\/\/[^\n]*/y],
  ['NUM_FLOAT', /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y],
  ['NUM_INT', /(?:0x[\da-fA-F]+|\d+)/y],
  ['NUM_UINT', /(?:0x[\da-fA-F]+|\d+)[uU]/y],
  ['STRING', new RegExp(TEXT, 'y')],
  ['BYTES', new RegExp(`[bB]${TEXT}`, 'y')],
  ['IDENTIFIER', /[A-Za-z_]\w*/y],
  ['ESC_IDENTIFIER', /`[\w.\-/ ]+`/y],
];

const HALF_ESCAPE = String.raw`(?:\\(?:[xX][\da-fA-F]?|u[\da-fA-F]{0,3}|U[\da-fA-F]{0,7}|[0-3][0-7]?)?)?`;
/** What could have become a token: it is refused together with the character after it. */
const BEGUN: readonly RegExp[] = [
  ...['"', "'"].map((quote) => new RegExp(`${quote}(?:${ESCAPE}|[^\\\\\\n\\r${quote}])*${HALF_ESCAPE}`, 'y')),
  /[=&|]/y,
  /`[\w.\-/ ]*/y,
];

function matched(pattern: RegExp, expression: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(expression)?.[0];
}

function refusedAt(expression: string, at: number): string {
  for (const begun of BEGUN) {
    const text = matched(begun, expression, at);
    if (text === undefined) continue;
    return text + characterAt(expression, at + text.length);
  }
  return characterAt(expression, at);
}

function characterAt(text: string, at: number): string {
  const point = text.codePointAt(at);
  return point === undefined ? '' : String.fromCodePoint(point);
}

/** All tokens, without an end, and what begins none. */
export function tokensOf(expression: string): { tokens: Token[]; unread: Unread[] } {
  const tokens: Token[] = [];
  const unread: Unread[] = [];
  let at = 0;
  while (at < expression.length) {
    let best: { kind: Kind | undefined; text: string } | undefined;
    for (const [kind, pattern] of RULES) {
      const text = matched(pattern, expression, at);
      if (text !== undefined && text.length > (best?.text.length ?? 0)) best = { kind, text };
    }
    if (best === undefined) {
      const text = refusedAt(expression, at);
      unread.push({ text, at });
      at += text.length;
      continue;
    }
    if (best.kind !== undefined) tokens.push({ kind: best.kind, text: best.text, at });
    at += best.text.length;
  }
  return { tokens, unread };
}
