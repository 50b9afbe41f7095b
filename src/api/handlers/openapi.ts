/** OpenAPI documents: static files, made at build time, with the hash of each as its ETag. */
import { hex, sha256 } from '../../apimachinery/digest.ts';
import type { JsonObject } from '../../apimachinery/meta.ts';
import { parseAccept, takes } from '../accept.ts';
import { extensionDocument, extensionDocuments } from '../aggregation/extension-openapi.ts';
import type { Context, Fetching } from '../context.ts';
import { acceptsGzip, JSON_TYPE } from '../negotiation.ts';
import { GZIPPED, respond } from '../respond.ts';
import { customDocument, customDocuments } from './openapi-custom.ts';
import { customV2 } from './openapi-custom-v2.ts';

/** What clients ask for; it is answered by a name without `@`, which no media type may have. */
const PROTOBUF_ASKED = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
/** Forms of the v2 document in the order of preference: what may be asked for, what it is called, and its file. */
const V2_FORMS = [
  [JSON_TYPE, JSON_TYPE, 'v2.json'],
  [PROTOBUF_ASKED, PROTOBUF, 'v2.pb'],
  [PROTOBUF, PROTOBUF, 'v2.pb'],
] as const;
const YEAR_MS = 365 * 86_400_000;

/** Hashes by file, once they are known to the isolate. */
let known: Readonly<Record<string, string>> | undefined;

/** Answers a path below `/openapi/`; undefined where no document lies. */
export async function openapi(context: Context): Promise<Response | undefined> {
  const { path } = context.info;
  const { around, request } = context;
  if (path === '/openapi/v3' || path === '/openapi/v3/')
    return customDocuments(context).size === 0 && context.snapshot.remote.all.length === 0
      ? send(around.assets, request, 'v3/index.json', JSON_TYPE)
      : mergedIndex(context);
  if (path === '/openapi/v2') {
    for (const { type } of parseAccept(request.headers.get('accept') || '*/*')) {
      const form = V2_FORMS.find(([asked]) => takes(type, asked));
      if (form === undefined) continue;
      const merged = await customV2(context, form[2], (await hashes(around.assets))[form[2]] ?? '', form[1]);
      return varying(merged ?? (await send(around.assets, request, form[2], form[1])));
    }
    return new Response(null, { status: 406, headers: { vary: 'Accept' } });
  }
  return path.startsWith('/openapi/v3/') ? ofVersion(context, path.slice('/openapi/'.length)) : undefined;
}

/** The static index with the documents of custom resources in it. */
async function mergedIndex(context: Context): Promise<Response> {
  const found = await context.around.assets.fetch(new Request('https://assets/openapi/v3/index.json'));
  const { paths } = (await found.json()) as { paths: JsonObject };
  for (const [path, state] of customDocuments(context)) {
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${await hashOf(state)}` };
  }
  for (const [path, hash] of await extensionDocuments(context)) {
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${encodeURIComponent(hash)}` };
  }
  return respond({ paths }, { format: 'json' });
}

/** The document of a group and version that definitions serve. */
async function ofCustom(context: Context, path: string): Promise<Response | undefined> {
  const [, group, version] = /^apis\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  const document = version === undefined ? undefined : await customDocument(context, group ?? '', version);
  return document === undefined ? undefined : respond(document, { format: 'json' });
}

async function hashOf(text: string): Promise<string> {
  return hex(await sha256(text)).toUpperCase();
}

/** The document of one group and version. Whoever names a hash may keep it for ever, or is sent to the one of today. */
async function ofVersion(context: Context, name: string): Promise<Response | undefined> {
  const { around, request, url } = context;
  const file = `${name}.json`;
  const hash = (await hashes(around.assets))[file];
  if (name === 'v3/index') return undefined;
  const remote = extensionDocument(context, name.slice('v3/'.length));
  if (remote !== undefined) return remote;
  if (hash === undefined) return ofCustom(context, name.slice('v3/'.length));
  const clauses = parseAccept(request.headers.get('accept') || '*/*');
  if (!clauses.some(({ type }) => takes(type, JSON_TYPE))) {
    return new Response(null, { status: 406, headers: { vary: 'Accept' } });
  }
  const wanted = url.searchParams.get('hash');
  if (wanted !== null && wanted !== '' && wanted !== hash) {
    const location = `${url.pathname}?hash=${hash}`;
    return new Response(null, { status: 301, headers: { location, vary: 'Accept' } });
  }
  const answer = varying(await send(around.assets, request, file, JSON_TYPE));
  if (wanted) {
    answer.headers.set('cache-control', 'public, immutable');
    answer.headers.set('expires', new Date(Date.now() + YEAR_MS).toUTCString());
  }
  return answer;
}

function varying(answer: Response): Response {
  answer.headers.append('vary', 'Accept');
  return answer;
}

/** A file, or 304 for who has it already. */
async function send(assets: Fetching, request: Request, file: string, type: string): Promise<Response> {
  const hash = (await hashes(assets))[file] ?? '';
  const etag = `"${hash}"`;
  const has = (request.headers.get('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (has.includes(etag) || has.includes('*')) return new Response(null, { status: 304, headers: { etag } });
  const { body } = await assets.fetch(new Request(`https://assets/openapi/${file}`));
  const headers = { 'content-type': type, etag };
  const gzip = acceptsGzip(request.headers.get('accept-encoding'));
  return new Response(body, {
    headers: gzip ? { ...headers, ...GZIPPED } : headers,
  });
}

async function hashes(assets: Fetching): Promise<Readonly<Record<string, string>>> {
  if (known !== undefined) return known;
  const found = await assets.fetch(new Request('https://assets/openapi/etags.json'));
  known = Object.assign(Object.create(null), await found.json()) as Readonly<Record<string, string>>;
  return known;
}
