/** Answers: stored text as it is where the client takes JSON, else transformed. */
import { encodeProtobuf, encodeYaml } from '../apimachinery/codec/index.ts';
import { StatusError } from '../apimachinery/errors.ts';
import type { JsonObject, KubeObject, Status } from '../apimachinery/meta.ts';
import type { Resource } from '../resources/resource.ts';
import { type Accepted, JSON_TYPE, PROTOBUF_TYPE, YAML_TYPE } from './negotiation.ts';
import { transformObject } from './printers/transform.ts';

const NO_CACHE = { 'cache-control': 'no-cache, private' };
/** Of what the runtime is to compress. */
export const GZIPPED = { 'content-encoding': 'gzip', vary: 'Accept-Encoding' };
/** Made once: the runtime copies Headers in half the time in which it reads an object. */
const headersOf = (type: string, more = {}): Headers => new Headers({ 'content-type': type, ...NO_CACHE, ...more });
const PLAIN = new Map([JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE].map((type) => [type, headersOf(type)]));
const COMPRESSED = new Map([...PLAIN.keys()].map((type) => [type, headersOf(type, GZIPPED)]));
/** Upstream's `defaultGzipThresholdBytes`: smaller answers are sent as they are. */
const GZIP_FROM = 128 * 1024;

type Body = string | Uint8Array | ReadableStream;

/** Warnings as upstream writes them in headers: `299 - "text"`. */
function withWarnings(headers: Headers, warnings: readonly string[]): Headers {
  const all = new Headers(headers);
  for (const warning of warnings) all.append('warning', `299 - ${JSON.stringify(warning)}`);
  return all;
}

/** A body of one of the types that we write, as an answer. The runtime compresses what says that it is. */
function send(
  body: Body,
  type: string,
  { gzip = false }: Accepted,
  status: number,
  warnings: readonly string[],
): Response {
  const headers = (gzip && isLarge(body) ? COMPRESSED : PLAIN).get(type) as Headers;
  return new Response(body as string, {
    status,
    headers: warnings.length === 0 ? headers : withWarnings(headers, warnings),
  });
}

/** What comes as a stream does so because of its size. */
function isLarge(body: Body): boolean {
  if (typeof body === 'string') return body.length > GZIP_FROM;
  return !(body instanceof Uint8Array) || body.byteLength > GZIP_FROM;
}

/** JSON text, or the bytes of it, as an answer, unparsed. */
export function respondText(text: Body, accepted: Accepted, status = 200, warnings: readonly string[] = []): Response {
  return send(text, JSON_TYPE, accepted, status, warnings);
}

/** Any object as an answer in the form that was negotiated. */
export function respond(
  object: JsonObject | KubeObject,
  accepted: Accepted,
  status = 200,
  warnings: readonly string[] = [],
): Response {
  const as = (body: Body, type: string): Response => send(body, type, accepted, status, warnings);
  switch (accepted.format) {
    case 'protobuf':
      return as(encodeProtobuf(object as JsonObject), PROTOBUF_TYPE);
    case 'yaml':
      return as(encodeYaml(object as JsonObject), YAML_TYPE);
    default:
      return as(accepted.pretty ? JSON.stringify(object, null, 2) : `${JSON.stringify(object)}\n`, JSON_TYPE);
  }
}

/** One stored object: its text, or what the client asked to be made of it. */
export function respondObject(
  resource: Resource,
  text: string,
  accepted: Accepted,
  url: URL,
  status = 200,
  warnings: readonly string[] = [],
): Response {
  if (accepted.format === 'json' && accepted.as === undefined && !accepted.pretty) {
    return respondText(`${text}\n`, accepted, status, warnings);
  }
  const object = JSON.parse(text) as KubeObject;
  return respond(transformObject(resource, object, accepted, url), accepted, status, warnings);
}

/** A failure as an answer; `Retry-After` where the Status says so. */
export function respondStatus(status: Status, accepted: Accepted, warnings: readonly string[] = []): Response {
  const answer = respond({ ...status } as unknown as JsonObject, accepted, status.code, warnings);
  const retry = status.details?.retryAfterSeconds;
  if (retry !== undefined) answer.headers.set('retry-after', String(retry));
  return answer;
}

/** The answer with one header more. */
export function withHeader(response: Response, name: string, value: string): Response {
  try {
    response.headers.set(name, value);
    return response;
  } catch (error) {
    // What was fetched from elsewhere has headers that cannot be changed.
    if (!(error instanceof TypeError)) throw error;
    const own = new Response(response.body, response);
    own.headers.set(name, value);
    return own;
  }
}

/** The result of a store's method; throws what it failed with. */
export function unwrap<T extends object>(result: T | { status: Status }): T {
  if ('status' in result) throw new StatusError(result.status);
  return result;
}
