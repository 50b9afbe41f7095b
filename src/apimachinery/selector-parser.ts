/** Label selectors as text, `app=web,tier in (a,b),!old`: upstream's lexer and parser, with its errors. */
import { badRequest } from './errors.ts';
import { byKey, checkKey, newRequirement, type Operator, type Requirement, type Selector } from './labels.ts';

type Token = {
  kind: 'identifier' | 'end' | '!' | '=' | '==' | '!=' | '>' | '<' | '(' | ')' | ',' | 'in' | 'notin';
  text: string;
};

const SYMBOLS = ['==', '!=', '=', '!', '>', '<', '(', ')', ','] as const;
const WORD = /[^\s=!(),<>]+/y;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] as string)) {
      at += 1;
      continue;
    }
    const symbol = SYMBOLS.find((candidate) => text.startsWith(candidate, at));
    if (symbol !== undefined) {
      found.push({ kind: symbol, text: symbol });
      at += symbol.length;
      continue;
    }
    WORD.lastIndex = at;
    const word = WORD.exec(text)?.[0] as string;
    found.push({ kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
    at += word.length;
  }
  return found;
}

const END: Token = { kind: 'end', text: '' };

/** A cursor over the tokens. Where a value may stand, `in` and `notin` are words like any other. */
class Parser {
  private at = 0;
  private readonly list: readonly Token[];

  constructor(text: string) {
    this.list = tokens(text);
  }

  peek(): Token {
    const token = this.list[this.at] ?? END;
    return token.kind === 'in' || token.kind === 'notin' ? { kind: 'identifier', text: token.text } : token;
  }

  next(): Token {
    const token = this.peek();
    this.at += 1;
    return token;
  }

  operator(): Operator {
    const { kind, text } = this.list[this.at] ?? END;
    this.at += 1;
    if (kind === '>') return 'gt';
    if (kind === '<') return 'lt';
    if (kind === 'in' || kind === 'notin' || kind === '=' || kind === '==' || kind === '!=') return kind;
    throw new Error(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
  }

  requirement(): Requirement {
    let token = this.next();
    const negated = token.kind === '!';
    if (negated) token = this.next();
    if (token.kind !== 'identifier') throw new Error(`found '${token.text}', expected: identifier`);
    const key = token.text;
    checkKey(key, '<nil>');
    const follows = this.peek().kind;
    if (negated) return { key, operator: '!', values: [] };
    if (follows === 'end' || follows === ',') return { key, operator: 'exists', values: [] };
    const operator = this.operator();
    const values = operator === 'in' || operator === 'notin' ? this.values() : this.exactValue();
    return newRequirement(key, operator, values);
  }

  private values(): string[] {
    const open = this.next();
    if (open.kind !== '(') throw new Error(`found '${open.text}' expected: '('`);
    const first = this.peek();
    if (first.kind === ')') {
      this.next();
      return [''];
    }
    if (first.kind !== 'identifier' && first.kind !== ',') {
      throw new Error(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    return this.identifiers();
  }

  /** Values up to the closing parenthesis; between two commas, and at either end, stands an empty one. */
  private identifiers(): string[] {
    const values: string[] = [];
    for (;;) {
      const token = this.next();
      if (token.kind === 'identifier') {
        values.push(token.text);
        const after = this.peek();
        if (after.kind !== ',' && after.kind !== ')') throw new Error(`found '${after.text}', expected: ',' or ')'`);
        if (after.kind === ')') break;
      } else if (token.kind === ',') {
        if (values.length === 0) values.push('');
        const after = this.peek();
        if (after.kind === ')') {
          values.push('');
          break;
        }
        if (after.kind === ',') {
          this.next();
          values.push('');
        }
      } else {
        throw new Error(`found '${token.text}', expected: ',', or identifier`);
      }
    }
    this.next();
    return values;
  }

  private exactValue(): string[] {
    const { kind } = this.peek();
    if (kind === 'end' || kind === ',') return [''];
    const token = this.next();
    if (token.kind !== 'identifier') throw new Error(`found '${token.text}', expected: identifier`);
    return [token.text];
  }
}

function parse(text: string): Selector {
  const parser = new Parser(text);
  const requirements: Requirement[] = [];
  for (;;) {
    const first = parser.peek();
    if (first.kind === 'end') break;
    if (first.kind !== 'identifier' && first.kind !== '!') {
      throw new Error(`found '${first.text}', expected: !, identifier, or 'end of string'`);
    }
    try {
      requirements.push(parser.requirement());
    } catch (error) {
      throw new Error(`unable to parse requirement: ${(error as Error).message}`);
    }
    const after = parser.next();
    if (after.kind === 'end') break;
    if (after.kind !== ',') throw new Error(`found '${after.text}', expected: ',' or 'end of string'`);
    const then = parser.peek();
    if (then.kind !== 'identifier' && then.kind !== '!') {
      throw new Error(`found '${then.text}', expected: identifier after ','`);
    }
  }
  return requirements.sort(byKey);
}

const CACHED = 200;
const cache = new Map<string, Selector>();

/** Reads a selector. Throws BadRequest with upstream's text (`labels.Parse`). The last ones read are kept. */
export function parseSelector(text: string): Selector {
  const hit = cache.get(text);
  if (hit !== undefined) {
    // Moved to the end: what stands first was not used for longest.
    cache.delete(text);
    cache.set(text, hit);
    return hit;
  }
  let selector: Selector;
  try {
    selector = parse(text);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
  if (text.length <= 2000) {
    if (cache.size >= CACHED) cache.delete(cache.keys().next().value as string);
    cache.set(text, selector);
  }
  return selector;
}
