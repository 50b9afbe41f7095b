/** cel-go's `ext.Strings` as Kubernetes has it, where the base library lacks it, and Kubernetes' `regex`. */

import { goFloat } from '../../go-float.ts';
import { compilePattern } from '../../structural/regex.ts';
import { formatText, valueText } from '../format-text.ts';
import { fail, functions, type Library } from './library.ts';

function pattern(text: string): NonNullable<ReturnType<typeof compilePattern>> {
  return compilePattern(text) ?? fail(`Illegal regex: ${text}`);
}

function findAll(text: string, regex: string, limit: number): string[] {
  const matcher = pattern(regex).matcher(text);
  const found: string[] = [];
  while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}

function replace(text: string, from: string, to: string, count: bigint): string {
  if (count < 0n) return text.replaceAll(from, () => to);
  let left = Number(count);
  let result = '';
  let rest = text;
  while (left-- > 0) {
    const at = rest.indexOf(from);
    if (at < 0) break;
    result += rest.slice(0, at) + to;
    rest = rest.slice(at + from.length);
  }
  return result + rest;
}

export const strings: Library = functions({
  'string.replace(string, string): string': (text: string, from: string, to: string) => replace(text, from, to, -1n),
  'string.replace(string, string, int): string': replace,
  'string.charAt(int): string': (text: string, at: bigint) => {
    const characters = [...text];
    if (at < 0n || at > BigInt(characters.length)) fail(`index out of range: ${at}`);
    return characters[Number(at)] ?? '';
  },
  'string.format(list<dyn>): string': (text: string, values: unknown[]) => formatText(text, values),
  'string.find(string): string': (text: string, regex: string) => findAll(text, regex, 1)[0] ?? '',
  'string.findAll(string): list<string>': (text: string, regex: string) => findAll(text, regex, -1),
  'string.findAll(string, int): list<string>': (text: string, regex: string, limit: bigint) =>
    findAll(text, regex, Number(limit)),
  // The base library's own would let a pattern burn time without end.
  'string.matches_(string): bool': (text: string, regex: string) => pattern(regex).matcher(text).find(),
  // The base library's own change all letters.
  'string.upperAscii_(): string': (text: string) => text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase()),
  'string.lowerAscii_(): string': (text: string) => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  'string_(string): string': String,
  'string_(bool): string': String,
  'string_(int): string': String,
  'string_(uint): string': String,
  'string_(double): string': goFloat,
  'string_(bytes): string': utf8,
  'string_(google.protobuf.Timestamp): string': (time: Date) => valueText(time),
  'string_(google.protobuf.Duration): string': (duration: object) => valueText(duration),
});

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('invalid UTF-8 in bytes, cannot convert to string');
  }
}
