/** Values as YAML, as Go's writer lays them out: sequences not indented, keys in natural order, quotes only where they are needed. */
import type { Json, JsonObject } from '../meta.ts';
import { compareKeys } from './yaml-order.ts';

/** Plain, these would be read as something else than texts, by readers of YAML 1.1 too. */
const AMBIGUOUS = new RegExp(
  `^(?:${[
    '',
    '~|null|Null|NULL|<<',
    'y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|true|True|TRUE|false|False|FALSE',
    '[-+]?\\.(?:inf|Inf|INF)|\\.(?:nan|NaN|NAN)',
    '[-+]?(?:\\.[0-9_]+|[0-9][0-9_]*(?:\\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?',
    '[-+]?0(?:x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)',
    // Base 60, and times.
    '[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\\.[0-9_]*)?',
    '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]| +)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})?)?',
  ].join('|')})$`,
);
/** Plain, these would end, begin or be part of something else. */
const INDICATORS = /^[#,[\]{}&*!|>'"%@`]|^[-?:](?:\s|$)|^---|^\.\.\.|:(?:\s|$)|\s#|^ | $/;
/** What Go's writer escapes: control characters, tabs among them, and what takes four bytes of UTF-8. */
const ESCAPED = /[[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff\u{10000}-\u{10ffff}]--[\n]]/v;
/** Longer keys are written after a question mark. */
const MAX_SIMPLE_KEY = 128;

/** A value as YAML, with a line end. */
export function encodeYaml(value: Json): string {
  if (isCollection(value)) return `${block(value, '').join('\n')}\n`;
  return `${scalar(value, '  ').join('\n')}\n`;
}

type Collection = Json[] | JsonObject;

function isCollection(value: Json): value is Collection {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/** The lines of what is not empty. */
function block(value: Collection, indent: string): string[] {
  return Array.isArray(value) ? value.flatMap((entry) => item(entry, indent)) : mapping(value, indent);
}

/** What stands behind a mark, and is indented by it. */
function item(value: Json, indent: string, mark = '-'): string[] {
  const inner = `${indent}  `;
  if (!isCollection(value)) return headed(`${indent}${mark} `, scalar(value, inner));
  const [first = '', ...rest] = block(value, inner);
  return [`${indent}${mark} ${first.slice(inner.length)}`, ...rest];
}

/** Whether a key takes a question mark: one of several lines, or very long. */
const isComplex = (key: string, [name = '']: readonly string[]): boolean =>
  /[\n\r\x85\u2028\u2029]/.test(key) || name.length > MAX_SIMPLE_KEY;

function mapping(object: JsonObject, indent: string): string[] {
  const lines: string[] = [];
  const keys = Object.keys(object).filter((key) => object[key] !== undefined);
  for (const key of keys.sort(compareKeys)) {
    const value = object[key] ?? null;
    const name = scalar(key, `${indent}  `);
    if (isComplex(key, name)) {
      lines.push(...headed(`${indent}? `, name));
      lines.push(...item(value, indent, ':'));
    } else if (isCollection(value)) {
      lines.push(`${indent}${name[0]}:`, ...block(value, Array.isArray(value) ? indent : `${indent}  `));
    } else lines.push(...headed(`${indent}${name[0]}: `, scalar(value, `${indent}  `)));
  }
  return lines;
}

const headed = (head: string, [first, ...rest]: readonly string[]): string[] => [`${head}${first}`, ...rest];

/** A scalar, or an empty collection: more than one line only for a text of several. */
function scalar(value: Json, indent: string): string[] {
  if (typeof value !== 'string') return [JSON.stringify(value)];
  const several = value.includes('\n');
  if (ESCAPED.test(value) || (several && value.endsWith(' '))) return [quoted(value)];
  if (several) return literal(value, indent);
  if (AMBIGUOUS.test(value)) return [quoted(value)];
  return [INDICATORS.test(value) ? `'${value.replaceAll("'", "''")}'` : value];
}

/** A text of several lines as it is; what stands behind the bar says how it begins and ends. */
function literal(text: string, indent: string): string[] {
  const begins = /^[ \n]/.test(text) ? '2' : '';
  const ends = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const lines = (ends === '-' ? text : text.slice(0, -1)).split('\n');
  return [`|${begins}${ends}`, ...lines.map((line) => (line === '' ? '' : `${indent}${line}`))];
}

const ESCAPES: Record<string, string> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function quoted(text: string): string {
  let escaped = '';
  for (const character of text.toWellFormed()) {
    const known = ESCAPES[character];
    const code = character.codePointAt(0) as number;
    if (known !== undefined) escaped += known;
    else if (code > 0xffff) escaped += `\\U${hex(code, 8)}`;
    else if (!ESCAPED.test(character)) escaped += character;
    else escaped += code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
  }
  return `"${escaped}"`;
}

const hex = (code: number, digits: number): string => code.toString(16).toUpperCase().padStart(digits, '0');
