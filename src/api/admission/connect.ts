/**
 * exec, attach, portforward and proxy before policies and webhooks: what they see, and may change, are the request's options (upstream's
 * `ConnectResource`).
 */
import { deepEqual } from '../../apimachinery/equal.ts';
import type { Json, JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import { formatApiVersion } from '../../apimachinery/meta.ts';
import { type Field, schemaFor } from '../../apimachinery/schema/index.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';
import { isTrue } from '../request-info.ts';
import { proxyPrefix } from '../streaming/rewrite-links.ts';
import { admitReview, hearsOf } from './hooks/index.ts';
import { namespaceOf } from './hooks/review.ts';

/** What is carried out. */
export interface Connection {
  /** The client's, with the options in its query, and with what a proxy passes on at the end of its path. */
  url: URL;
  /** What a proxy passes on, without the first slash. */
  path: string;
}

/** What is asked for, as policies and webhooks want it; at once where nobody is to be asked. Throws what the first refusal is. */
export function admitConnect(context: Context, resource: Resource): Connection | Promise<Connection> {
  const { info, url } = context;
  const asked = { url, path: passedOn(info.rest, url) };
  const operation = { context, resource, operation: 'CONNECT', subresource: info.subresource } as const;
  return hearsOf(operation) ? admitted(asked, operation) : asked;
}

type Operation = { context: Context; resource: Resource; operation: 'CONNECT'; subresource: string };

async function admitted(asked: Connection, operation: Operation): Promise<Connection> {
  const { resource, subresource } = operation;
  const { name, namespace } = operation.context.info;
  const apiVersion = formatApiVersion(resource);
  const kind = resource.subresources?.find((one) => one.name === subresource)?.kind ?? '';
  const fields = schemaFor(apiVersion, kind)?.fields ?? new Map<string, Field>();
  const before = { kind, apiVersion, ...optionsOf(fields, asked) };
  let options: JsonObject = before;
  const what = { ...operation, name, namespace: namespaceOf(resource, namespace, name), dryRun: false };
  await admitReview({
    review: () => ({ ...what, object: options as unknown as KubeObject }),
    accept: (changed) => {
      options = changed as unknown as JsonObject;
    },
  });
  return deepEqual(options, before) ? asked : withOptions(asked, fields, options);
}

/** A proxy passes a last slash on, too. */
function passedOn(rest: string, { pathname }: URL): string {
  return rest !== '' && pathname.endsWith('/') ? `${rest}/` : rest;
}

type Fields = ReadonlyMap<string, Field>;

/** `PodExecOptions` and its like, read from the query; the path that a proxy passes on is the URL's own. */
function optionsOf(fields: Fields, { url, path }: Connection): JsonObject {
  const options: JsonObject = {};
  for (const [name, field] of fields) {
    const value = name === 'path' ? pathOption(path) : said(field, url.searchParams.getAll(name));
    if (value !== undefined) options[name] = value;
  }
  return options;
}

/** As it is read, not as it is written: whoever judges it must not be led astray by `%61`, also where another escape is no text. */
function pathOption(path: string): string | undefined {
  if (path === '') return undefined;
  const bytes = (escapes: string): Uint8Array =>
    Uint8Array.from(escapes.slice(1).split('%'), (hex) => parseInt(hex, 16));
  return `/${path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => utf8.decode(bytes(escapes)))}`;
}

const utf8 = new TextDecoder();

/** Undefined for what was not said. */
function said({ kind, shape }: Field, given: readonly string[]): JsonObject[string] {
  const [first] = given;
  if (first === undefined) return undefined;
  if (shape === 'repeated') return kind === 'string' ? [...given] : given.map(Number).filter(Number.isInteger);
  if (kind === 'bool') return isTrue(first) || undefined;
  return first || undefined;
}

/** The same with other options. The query of what is proxied is its own. */
function withOptions(asked: Connection, fields: Fields, options: JsonObject): Connection {
  const url = new URL(asked.url);
  if (fields.has('path')) {
    const path = written(options['path']);
    url.pathname = `${proxyPrefix(asked.url, asked.path)}/${path}`;
    return { url, path };
  }
  for (const name of fields.keys()) {
    url.searchParams.delete(name);
    for (const value of valuesOf(options[name])) url.searchParams.append(name, String(value));
  }
  return { url, path: asked.path };
}

const valuesOf = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? value : value === undefined || value === false ? [] : [value];

/** A path as URLs have it, without the first slash; its dots lead no further up than to the root of who is proxied. */
function written(path: Json | undefined): string {
  const segments = String(path ?? '')
    .toWellFormed()
    .replace(/^\/+/, '')
    .split('/');
  return new URL(`https://root/${segments.map(encodeURIComponent).join('/')}`).pathname.slice(1);
}
