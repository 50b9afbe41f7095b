/** Kubernetes' `url` library, after Go's `net/url`. */
import type { Comparable } from '../values.ts';
import { fail, functions, type Library } from './library.ts';

/** A URL as a value of expressions: absolute, or a path that begins with a slash. */
export class CelUrl implements Comparable {
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;

  constructor(text: string) {
    const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?$/.exec(text);
    const [, scheme = '', authority = '', path = '', query = ''] = match ?? [];
    const isUrl = match !== null && !/[\s\p{Cc}]/u.test(text) && (scheme !== '' || path.startsWith('/'));
    if (!isUrl || /%(?![0-9A-Fa-f]{2})/.test(path) || !hasPort(authority))
      fail(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`);
    this.text = text;
    this.scheme = scheme.toLowerCase();
    this.host = authority.slice(authority.lastIndexOf('@') + 1);
    this.path = path;
    this.query = query;
  }

  compareTo(other: CelUrl): number {
    return this.text === other.text ? 0 : this.text < other.text ? -1 : 1;
  }

  toString(): string {
    return this.text;
  }
}

/** What follows the host's colon is a number, or nothing. */
const hasPort = (authority: string): boolean => /^(?:[^@]*@)?(?:\[[^\]]*\]|[^:[\]]*)(?::\d*)?$/.test(authority);

const hostname = ({ host }: CelUrl): string => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');

function queryOf({ query }: CelUrl): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [key, value] of new URLSearchParams(query)) values.set(key, [...(values.get(key) ?? []), value]);
  return values;
}

function isUrl(text: string): boolean {
  try {
    new CelUrl(text);
    return true;
  } catch {
    return false;
  }
}

const members = functions({
  'url(string): kubernetes.URL': (text: string) => new CelUrl(text),
  'isURL(string): bool': isUrl,
  'string_(kubernetes.URL): string': String,
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
