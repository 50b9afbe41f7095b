/** What cannot be read of an expression, told as cel-go's parser tells it, which goes on after each problem (`DefaultErrorStrategy`). */
import { type Edge, NETWORK, type RuleName, type State } from './grammar.ts';
import { KINDS, type Kind, type Token, tokensOf, type Unread } from './lexer.ts';
import { END, type Expected, type Frame, nextTokens, predict } from './lookahead.ts';

/** What is wrong, and where: an index into the expression. */
export interface SyntaxProblem {
  words: string;
  at: number;
}

/** How many problems it recovers from (`errorRecoveryLimit`). */
const RECOVERIES = 30;
/** How deep an expression may be nested (`maxRecursionDepth`). */
const DEPTH = 250;
const KEPT =
  'as break const continue else for function if import let loop package namespace return var void while'.split(' ');
const RESERVED = /^no viable alternative at input '.(true|false|null)'$/;

/** Ends the rule that is being read. */
class Mismatch {
  readonly words: string;
  readonly token: Token;

  constructor(words: string, token: Token) {
    this.words = words;
    this.token = token;
  }
}

/** Ends all reading. */
class GivenUp {}

/** All syntax errors of an expression, in the order in which they stand. */
export function syntaxProblems(expression: string): SyntaxProblem[] {
  const found = tokensOf(expression);
  const problems = new Recognizer(expression, found).read();
  const lexical = found.unread.map(({ text, at }) => ({ words: `token recognition error at: '${text}'`, at }));
  const all = [...lexical, ...problems].map(({ words, at }) => ({ words: `Syntax error: ${words}`, at }));
  if (all.length === 0) return [];
  return [...all, ...reservedNames(found.tokens)].sort((a, b) => a.at - b.at);
}

/** What is kept for later languages is told as well where an expression cannot be read. */
function reservedNames(tokens: readonly Token[]): SyntaxProblem[] {
  return tokens
    .filter(({ text }, index) => KEPT.includes(text) && tokens[index - 1]?.text !== '.')
    .map(({ text, at }) => ({ words: `reserved identifier: ${text}`, at }));
}

const shown = (text: string): string =>
  `'${text.replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`;

function listed(expected: Expected): string {
  const kinds = KINDS.filter((kind) => expected.has(kind));
  return kinds.length === 1 ? String(kinds[0]) : `{${kinds.join(', ')}}`;
}

class Recognizer {
  private readonly expression: string;
  private readonly tokens: readonly Token[];
  private readonly unread: readonly Unread[];
  private readonly problems: SyntaxProblem[] = [];
  private index = 0;
  private state: State = NETWORK.start.start;
  private frame: Frame | undefined;
  private isRecovering = false;
  private recoveries = 0;
  private depth = 0;
  /** Where it last recovered, and in which states. */
  private last: { index: number; states: Set<State> } = { index: -1, states: new Set() };

  constructor(expression: string, { tokens, unread }: { tokens: readonly Token[]; unread: readonly Unread[] }) {
    this.expression = expression;
    this.unread = unread;
    this.tokens = [...tokens, { kind: '<EOF>', text: '<EOF>', at: expression.length }];
  }

  read(): SyntaxProblem[] {
    try {
      this.rule('start', 0);
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
    }
    return this.problems;
  }

  private token(ahead = 0): Token {
    return (this.tokens[this.index + ahead] ?? this.tokens.at(-1)) as Token;
  }

  private consume(): void {
    if (this.token().kind !== '<EOF>') this.index++;
  }

  private rule(name: RuleName, level: number): void {
    if (name === 'expr' && ++this.depth > DEPTH) throw new GivenUp();
    const { start, stop } = NETWORK[name];
    try {
      for (let at = start; at !== stop; ) at = this.step(at, level);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      this.report(error.words, error.token);
      this.recover();
    }
    if (name === 'expr') this.depth--;
  }

  /** Goes on from a state, having read what stands between. */
  private step(at: State, level: number): State {
    this.state = at;
    if (at.kind !== 'plain') {
      this.sync();
      // After a turn of a loop it decides where it first did.
      const [only] = at.edges;
      const decides = at.kind === 'again' && at.edges.length === 1 && only !== undefined ? only.to : at;
      return (decides.edges[this.choose(decides, level)] ?? decides.edges[0])?.to as State;
    }
    const [edge] = at.edges;
    if (edge === undefined) return at;
    if (edge.on !== undefined) this.match(edge.on, edge.to);
    else if (edge.call !== undefined) {
      const frame = this.frame;
      this.frame = { follow: edge.to, parent: frame };
      this.rule(edge.call.rule, edge.call.level);
      this.frame = frame;
    }
    return edge.to;
  }

  private choose(at: State, level: number): number {
    if (at.edges.length === 1) return 0;
    const { kind } = this.token();
    if (at.levels !== undefined) return (at.levels[kind] ?? -1) >= level ? 0 : 1;
    if (at.short) {
      const leads = ({ to }: Edge): boolean => nextTokens(to).has(kind);
      if (at.isOptional) return leads(at.edges[0] as Edge) ? 0 : 1;
      const way = at.edges.findIndex(leads);
      if (way >= 0) return way;
      throw this.noWay(this.index);
    }
    const found = predict(at, this.tokens, this.index);
    if ('way' in found) return found.way;
    throw this.noWay(found.stuckAt);
  }

  private noWay(stuckAt: number): Mismatch {
    const first = this.token();
    const offending = (this.tokens[stuckAt] ?? this.tokens.at(-1)) as Token;
    const end = offending.kind === '<EOF>' ? offending.at : offending.at + offending.text.length;
    const input = first.kind === '<EOF>' ? '<EOF>' : this.readBetween(first.at, end);
    return new Mismatch(`no viable alternative at input ${shown(input)}`, offending);
  }

  /** What was written, without what begins no token. */
  private readBetween(from: number, to: number): string {
    let text = '';
    for (const { at, text: left } of this.unread) {
      if (at < from || at >= to) continue;
      text += this.expression.slice(from, at);
      from = at + left.length;
    }
    return text + this.expression.slice(from, to);
  }

  private match(kinds: readonly Kind[], next: State): void {
    if (kinds.includes(this.token().kind)) {
      this.goneOn();
      this.consume();
      return;
    }
    this.attempt();
    if (this.dropOne()) {
      this.consume();
      return;
    }
    if (nextTokens(next, { top: this.frame }).has(this.token().kind)) {
      this.report(`missing ${listed(this.expected())} at ${shown(this.token().text)}`, this.token());
      return;
    }
    throw this.mismatch();
  }

  private mismatch(): Mismatch {
    const token = this.token();
    return new Mismatch(`mismatched input ${shown(token.text)} expecting ${listed(this.expected())}`, token);
  }

  /** Looks whether what comes can be read here, before it decides. */
  private sync(): void {
    if (this.isRecovering) return;
    const next = nextTokens(this.state);
    const { kind } = this.token();
    if (next.has(END) || next.has(kind)) return;
    if (this.state.kind === 'again') {
      this.unwanted();
      this.skipTo(new Set([...this.expected(), ...this.recoverySet()]));
    } else if (!this.dropOne()) throw this.mismatch();
  }

  /** Leaves out a token, if what comes after it is what is wanted. */
  private dropOne(): boolean {
    if (!this.expected().has(this.token(1).kind)) return false;
    this.unwanted();
    this.consume();
    this.goneOn();
    return true;
  }

  /** A token fitted: what was wrong before is over. */
  private goneOn(): void {
    this.isRecovering = false;
    this.last = { index: -1, states: new Set() };
  }

  private unwanted(): void {
    this.report(`extraneous input ${shown(this.token().text)} expecting ${listed(this.expected())}`, this.token());
  }

  private expected(): Expected {
    const found = nextTokens(this.state);
    for (let frame = this.frame; frame !== undefined && found.has(END); frame = frame.parent) {
      found.delete(END);
      for (const kind of nextTokens(frame.follow)) found.add(kind);
    }
    if (found.delete(END)) found.add('<EOF>');
    return found;
  }

  private recoverySet(): Expected {
    const found: Expected = new Set();
    for (let frame = this.frame; frame !== undefined; frame = frame.parent) {
      for (const kind of nextTokens(frame.follow)) found.add(kind);
    }
    found.delete(END);
    return found;
  }

  private recover(): void {
    this.attempt();
    // Nothing was left out the last time: something must be, or it would never end.
    if (this.last.index === this.index && this.last.states.has(this.state)) this.consume();
    this.last.index = this.index;
    this.last.states.add(this.state);
    this.skipTo(this.recoverySet());
  }

  private skipTo(wanted: Expected): void {
    while (this.token().kind !== '<EOF>' && !wanted.has(this.token().kind)) this.consume();
  }

  private attempt(): void {
    if (this.recoveries === RECOVERIES) {
      const words = `error recovery attempt limit exceeded: ${RECOVERIES}`;
      this.problems.push({ words, at: this.token().at });
      throw new GivenUp();
    }
    this.recoveries++;
  }

  private report(words: string, { at }: Token): void {
    if (this.isRecovering) return;
    this.isRecovering = true;
    const reserved = RESERVED.exec(words)?.[1];
    this.problems.push({
      words: reserved === undefined ? words : `mismatched input '${reserved}' expecting IDENTIFIER`,
      at,
    });
  }
}
