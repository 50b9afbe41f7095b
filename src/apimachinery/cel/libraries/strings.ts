/** cel-go's `ext.Strings` as Kubernetes has it, where the base library lacks it or counts otherwise, and Kubernetes' `regex`. */
import { compilePattern, patternProblem } from '../../structural/regex.ts';
import { formatText, quoted } from '../format-text.ts';
import { fail, functions, type Library } from './library.ts';
import { turns } from './two-variables.ts';

class Strings {}

/** What upstream takes for each character that is gone through, and for each letter of a pattern. */
const TRAVERSAL = 0.1;
const PATTERN = 0.25;

/** A text's characters, charged for: they are counted anew by each function. */
function charactersOf(text: string): string[] {
  turns.spend(Math.ceil(text.length * TRAVERSAL));
  return [...text];
}

/** A pattern upon a text, charged for. */
function matcher(text: string, regex: string): ReturnType<ReturnType<typeof pattern>['matcher']> {
  turns.spend(Math.ceil((text.length + 1) * TRAVERSAL) * Math.ceil(regex.length * PATTERN));
  return pattern(regex).matcher(text);
}

function pattern(text: string): NonNullable<ReturnType<typeof compilePattern>> {
  return compilePattern(text) ?? fail(patternProblem(text) ?? '');
}

function findAll(text: string, regex: string, limit: number): string[] {
  const matches = matcher(text, regex);
  const found: string[] = [];
  while ((limit < 0 || found.length < limit) && matches.find()) found.push(matches.group() ?? '');
  return found;
}

function replace(text: string, from: string, to: string, count: bigint): string {
  if (count < 0n) return replaceAll(text, from, to);
  if (from === '') return insert(charactersOf(text), to, count);
  let left = count;
  let result = '';
  let rest = text;
  for (let at = rest.indexOf(from); left > 0n && at >= 0; at = rest.indexOf(from), left--) {
    result += rest.slice(0, at) + to;
    rest = rest.slice(at + from.length);
  }
  return result + rest;
}

const replaceAll = (text: string, from: string, to: string): string =>
  from === '' ? insert(charactersOf(text), to, BigInt(text.length + 1)) : text.replaceAll(from, () => to);

/** An empty text stands before each character, and at the end. */
function insert(characters: readonly string[], text: string, count: bigint): string {
  const shown = characters.map((character, at) => (BigInt(at) < count ? text + character : character)).join('');
  return BigInt(characters.length) < count ? shown + text : shown;
}

const outOfRange = (index: bigint): never => fail(`index out of range: ${index}`);

function charAt(text: string, at: bigint): string {
  const characters = charactersOf(text);
  return at < 0n || at > BigInt(characters.length) ? outOfRange(at) : (characters[Number(at)] ?? '');
}

const startsAt = (characters: readonly string[], part: readonly string[], at: number): boolean =>
  part.every((character, index) => characters[at + index] === character);

function indexOf(text: string, part: string, from: bigint): bigint {
  if (part === '') return from;
  if (from < 0n) outOfRange(from);
  const [characters, wanted] = [charactersOf(text), [...part]];
  for (let at = Number(from); at <= characters.length - wanted.length; at++) {
    if (startsAt(characters, wanted, at)) return BigInt(at);
  }
  return -1n;
}

function lastIndexOf(text: string, part: string, from: bigint): bigint {
  if (part === '') return from;
  if (from < 0n) outOfRange(from);
  const [characters, wanted] = [charactersOf(text), [...part]];
  if (from >= BigInt(characters.length)) return -1n;
  for (let at = Math.min(Number(from), characters.length - wanted.length); at >= 0; at--) {
    if (startsAt(characters, wanted, at)) return BigInt(at);
  }
  return -1n;
}

function lastIndex(text: string, part: string): bigint {
  const { length } = charactersOf(text);
  if (part === '') return BigInt(length);
  return length === 0 ? -1n : lastIndexOf(text, part, BigInt(length - 1));
}

function substring(text: string, start: bigint, end?: bigint): string {
  const characters = charactersOf(text);
  const length = BigInt(characters.length);
  if (end !== undefined && start > end) fail(`invalid substring range. start: ${start}, end: ${end}`);
  for (const index of [start, end ?? length]) if (index < 0n || index > length) outOfRange(index);
  return characters.slice(Number(start), Number(end ?? length)).join('');
}

const parts = (text: string, separator: string): string[] =>
  separator === '' ? charactersOf(text) : text.split(separator);

function split(text: string, separator: string, limit: bigint): string[] {
  const all = parts(text, separator);
  if (limit < 0n || BigInt(all.length) <= limit) return all;
  if (limit === 0n) return [];
  const count = Number(limit) - 1;
  return [...all.slice(0, count), all.slice(count).join(separator)];
}

function join(list: unknown[], separator = ''): string {
  const odd = list.find((item) => typeof item !== 'string');
  return odd === undefined ? list.join(separator) : fail(`join: invalid input: ${String(odd)}`);
}

const matches = (text: string, regex: string): boolean => matcher(text, regex).find();

const members = functions({
  'string.replace(string, string): string': replaceAll,
  'string.replace(string, string, int): string': replace,
  'string.charAt(int): string': charAt,
  'string.indexOf_(string): int': (text: string, part: string) => indexOf(text, part, 0n),
  'string.indexOf_(string, int): int': indexOf,
  'string.lastIndexOf_(string): int': lastIndex,
  'string.lastIndexOf_(string, int): int': lastIndexOf,
  'string.substring_(int): string': (text: string, start: bigint) => substring(text, start),
  'string.substring_(int, int): string': substring,
  'string.split_(string): list<string>': parts,
  'string.split_(string, int): list<string>': split,
  'list<string>.join_(): string': (list: unknown[]) => join(list),
  'list<string>.join_(string): string': join,
  'string.format(list<dyn>): string': (text: string, values: unknown[]) => formatText(text, values),
  'string.find(string): string': (text: string, regex: string) => findAll(text, regex, 1)[0] ?? '',
  'string.findAll(string): list<string>': (text: string, regex: string) => findAll(text, regex, -1),
  'string.findAll(string, int): list<string>': (text: string, regex: string, limit: bigint) =>
    findAll(text, regex, Number(limit)),
  // The base library's own would let a pattern burn time without end.
  'string.matches_(string): bool': matches,
  'matches_(string, string): bool': matches,
  // The base library's own change all letters.
  'string.upperAscii_(): string': (text: string) => text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase()),
  'string.lowerAscii_(): string': (text: string) => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  'Strings.quote(string): string': (_: Strings, text: string) => quoted(text),
});

export const strings: Library = (environment) => {
  environment.registerType('Strings', Strings).registerConstant('strings', 'Strings', new Strings());
  members(environment);
};
