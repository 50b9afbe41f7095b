/** Label selectors, after upstream's `labels` package: text, match, and the form that objects carry. */
import { badRequest } from './errors.ts';
import { invalid, toMessage } from './field.ts';
import { isLabelValue, isQualifiedName } from './names.ts';

export type Operator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface Requirement {
  key: string;
  operator: Operator;
  /** Sorted, without repetitions. */
  values: readonly string[];
}

/** All requirements must hold. An empty one selects everything; {@link NOTHING} nothing. */
export type Selector = readonly Requirement[];

/** `metav1.LabelSelector`. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key?: string; operator?: string; values?: string[] }[];
}

/** Selects nothing: what an absent selector means. No value is in an empty set. */
export const NOTHING: Selector = [{ key: '', operator: 'in', values: [] }];

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
    return requirement(key, operator, values);
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

function checkKey(key: string, path: string): void {
  const problems = isQualifiedName(key);
  if (problems.length > 0) throw new Error(toMessage(invalid(path, key, problems.join('; '))));
}

/** Upstream's `labels.NewRequirement`: sorts the values and checks them. Throws an Error with upstream's text. */
function requirement(key: string, operator: Operator, given: readonly string[]): Requirement {
  const values = [...new Set(given)].sort();
  const errors: string[] = [];
  values.forEach((value, index) => {
    const path = `values[${index}]`;
    if ((operator === 'gt' || operator === 'lt') && integer(value) === undefined) {
      errors.push(toMessage(invalid(path, value, "for 'Gt', 'Lt' operators, the value must be an integer")));
    }
  });
  values.forEach((value, index) => {
    const problems = isLabelValue(value);
    if (problems.length > 0) errors.push(toMessage(invalid(`values[${index}][${key}]`, value, problems.join('; '))));
  });
  if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
  return { key, operator, values };
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
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
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

function integer(text: string): bigint | undefined {
  if (!/^[+-]?\d{1,30}$/.test(text)) return undefined;
  const number = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, number) === number ? number : undefined;
}

function holds({ key, operator, values }: Requirement, labels: Record<string, string>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    default: {
      const actual = value === undefined ? undefined : integer(value);
      const wanted = integer(values[0] ?? '');
      if (actual === undefined || wanted === undefined) return false;
      return operator === 'gt' ? actual > wanted : actual < wanted;
    }
  }
}

const NO_LABELS: Record<string, string> = {};

/** Whether labels satisfy the selector. */
export function matches(selector: Selector, labels: Record<string, string> | undefined): boolean {
  const set = labels ?? NO_LABELS;
  return selector.every((requirement) => holds(requirement, set));
}

const OPERATORS: Record<string, Operator> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };

/**
 * The selector that an object carries (`metav1.LabelSelectorAsSelector`): absent selects nothing, empty everything.
 * Throws BadRequest for an operator that does not exist.
 */
export function fromLabelSelector(selector: LabelSelector | null | undefined): Selector {
  if (selector === undefined || selector === null) return NOTHING;
  const requirements: Requirement[] = [...fromSet(selector.matchLabels)];
  for (const { key = '', operator = '', values } of selector.matchExpressions ?? []) {
    const known = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
    if (known === undefined) throw badRequest(`"${operator}" is not a valid label selector operator`);
    requirements.push({ key, operator: known, values: [...new Set(values ?? [])].sort() });
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** The selector that asks for exactly these labels (`labels.SelectorFromSet`). */
export function fromSet(labels: Record<string, string> | null | undefined): Selector {
  return Object.keys(labels ?? {})
    .sort()
    .map((key) => ({ key, operator: '=', values: [(labels as Record<string, string>)[key] as string] }));
}

function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values[0]}`;
    case 'lt':
      return `${key}<${values[0]}`;
    default:
      return `${key}${operator}${values[0]}`;
  }
}

/** As text that {@link parseSelector} reads (`Selector.String`); empty for what selects everything, or nothing. */
export function formatSelector(selector: Selector): string {
  return selector === NOTHING ? '' : selector.map(formatRequirement).join(',');
}

/** An object's selector as text: `app=web,tier in (a,b),!old`; empty for an empty or absent one. */
export function formatLabelSelector(selector: LabelSelector | null | undefined): string {
  return formatSelector(fromLabelSelector(selector));
}
