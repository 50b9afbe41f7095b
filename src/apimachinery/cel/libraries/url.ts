/** Kubernetes' `url` library, after Go's `url.ParseRequestURI`. */
import type { Comparable } from '../values.ts';
import { CelFailure, fail, functions, type Library } from './library.ts';

/** What Go's parser finds wrong. */
class Unread extends Error {}

const unread = (words: string): never => {
  throw new Unread(words);
};

/** A URL as a value of expressions: absolute, or a path that begins with a slash. */
export class CelUrl implements Comparable {
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  /** Escaped. */
  readonly path: string;
  readonly query: string;

  constructor(text: string) {
    try {
      const { scheme, host, path, query, rest } = parse(text);
      this.scheme = scheme;
      this.host = host;
      this.path = path;
      this.query = query;
      this.text = scheme === '' ? rest : `${scheme}:${rest}`;
    } catch (error) {
      if (!(error instanceof Unread)) throw error;
      fail(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: ${error.message}`);
    }
  }

  compareTo(other: CelUrl): number {
    return this.text === other.text ? 0 : this.text < other.text ? -1 : 1;
  }

  toString(): string {
    return this.text;
  }
}

/** What is wrong with a URI, in Go's words. */
export function uriProblems(text: string): string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof Unread)) throw error;
    return [`parse ${JSON.stringify(text)}: ${error.message}`];
  }
}

function parse(text: string) {
  if (/\p{Cc}/u.test(text.replaceAll(/[\x80-\x9f]/g, ''))) unread('net/url: invalid control character in URL');
  if (text === '') unread('empty url');
  if (text === '*') return { scheme: '', host: '', path: '*', query: '', rest: text };
  if (text.startsWith(':')) unread('missing protocol scheme');
  const [, named = '', rest = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(.*)$/s.exec(text) as RegExpExecArray;
  const scheme = named.toLowerCase();
  const mark = rest.indexOf('?');
  const [before, query] = mark < 0 ? [rest, ''] : [rest.slice(0, mark), rest.slice(mark + 1)];
  if (!before.startsWith('/')) {
    return scheme === '' ? unread('invalid URI for request') : { scheme, host: '', path: '', query, rest };
  }
  const hasAuthority = before.startsWith('//') && (scheme !== '' || !before.startsWith('///'));
  if (!hasAuthority) return { scheme, host: '', path: escapedPath(before), query, rest };
  const slash = before.indexOf('/', 2);
  const authority = slash < 0 ? before.slice(2) : before.slice(2, slash);
  return { scheme, host: hostOf(authority), path: escapedPath(slash < 0 ? '' : before.slice(slash)), query, rest };
}

/** The bytes that a text with escapes means. */
function unescaped(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at) as number);
    const hex = /^%([\da-fA-F]{2})/.exec(text.slice(at, at + 3))?.[1];
    if (character === '%' && hex === undefined) unread(`invalid URL escape ${JSON.stringify(text.slice(at, at + 3))}`);
    bytes.push(...(hex === undefined ? new TextEncoder().encode(character) : [Number.parseInt(hex, 16)]));
    at += hex === undefined ? character.length : 3;
  }
  return Uint8Array.from(bytes);
}

const decoded = (text: string): string => new TextDecoder().decode(unescaped(text));

/** A path as it was written, when nothing in it needs an escape; else escaped anew. */
function escapedPath(path: string): string {
  const bytes = unescaped(path);
  if (/^(?:[\w\-.~!$&'()*+,;=:@[\]/]|%[\da-fA-F]{2})*$/.test(path)) return path;
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (/[\w\-.~$&+,/:;=@]/.test(character)) return character;
    return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

function hostOf(authority: string): string {
  const at = authority.lastIndexOf('@');
  if (!/^(?:[\w\-.~:!$&'()*+,;=%@])*$/.test(authority.slice(0, Math.max(0, at)))) unread('net/url: invalid userinfo');
  const host = authority.slice(at + 1);
  const end = host.startsWith('[') ? host.lastIndexOf(']') : -1;
  if (host.startsWith('[') && end < 0) unread("missing ']' in host");
  const colon = host.startsWith('[') ? end + 1 : host.indexOf(':');
  const port = colon < 0 ? '' : host.slice(colon);
  if (!/^(?::\d*)?$/.test(port)) unread(`invalid port ${JSON.stringify(port)} after host`);
  const zone = end < 0 ? -1 : host.slice(0, end).indexOf('%25');
  if (zone >= 0) return checkedHost(host.slice(0, zone)) + decoded(host.slice(zone, end)) + host.slice(end);
  return checkedHost(host);
}

/** Only what is no ASCII may be escaped in a host. */
function checkedHost(host: string): string {
  const escaped = /%[0-7][\da-fA-F]/.exec(host)?.[0];
  if (escaped !== undefined && escaped !== '%25') unread(`invalid URL escape ${JSON.stringify(escaped)}`);
  const odd = /[^\w\-.~!$&'()*+,;=:[\]<>"%\u0080-\u{10ffff}]/u.exec(host)?.[0];
  if (odd !== undefined) unread(`invalid character ${JSON.stringify(odd)} in host name`);
  return decoded(host);
}

const hostname = ({ host }: CelUrl): string => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');

function queryOf({ query }: CelUrl): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const equals = pair.indexOf('=');
    const parts = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    // What cannot be read is left out, as Go's `Query` does.
    if (parts.some((part) => /%(?![\da-fA-F]{2})/.test(part))) continue;
    const [key = '', value = ''] = parts.map((part) => decoded(part.replaceAll('+', ' ')));
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  return values;
}

function isUrl(text: string): boolean {
  try {
    new CelUrl(text);
    return true;
  } catch (error) {
    if (error instanceof CelFailure) return false;
    throw error;
  }
}

const members = functions({
  'url(string): kubernetes.URL': (text: string) => new CelUrl(text),
  'isURL(string): bool': isUrl,
  'kubernetes.URL.getScheme(): string': ({ scheme }: CelUrl) => scheme,
  'kubernetes.URL.getHost(): string': ({ host }: CelUrl) => host,
  'kubernetes.URL.getHostname(): string': hostname,
  'kubernetes.URL.getPort(): string': ({ host }: CelUrl) => /:(\d*)$/.exec(host)?.[1] ?? '',
  'kubernetes.URL.getEscapedPath(): string': ({ path }: CelUrl) => path,
  'kubernetes.URL.getQuery(): map<string, list<string>>': queryOf,
});

export const url: Library = (environment) => {
  environment.registerType('kubernetes.URL', { ctor: CelUrl, fields: {} });
  environment.registerOperator('kubernetes.URL == kubernetes.URL', (a: CelUrl, b: CelUrl) => a.compareTo(b) === 0);
  members(environment);
};
