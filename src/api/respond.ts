/** Answers: stored text as it is where the client takes JSON, else transformed. */
import { encodeProtobuf, encodeYaml } from '../apimachinery/codec/index.ts';
import { StatusError } from '../apimachinery/errors.ts';
import type { JsonObject, KubeObject, Status } from '../apimachinery/meta.ts';
import type { Resource } from '../resources/resource.ts';
import { type Accepted, JSON_TYPE, PROTOBUF_TYPE, YAML_TYPE } from './negotiation.ts';
import { includeObject, tableOf } from './printers/table.ts';

const JSON_HEADERS = { 'content-type': JSON_TYPE, 'cache-control': 'no-cache, private' };

/** Warnings as upstream writes them in headers: `299 - "text"`. */
export function withWarnings(headers: Record<string, string>, warnings: readonly string[]): Headers {
  const all = new Headers(headers);
  for (const warning of warnings) all.append('warning', `299 - ${JSON.stringify(warning)}`);
  return all;
}

/** JSON text, or the bytes of it, as an answer, unparsed. */
export function respondText(
  text: string | Uint8Array | ReadableStream,
  status = 200,
  warnings: readonly string[] = [],
): Response {
  return new Response(text as string, {
    status,
    headers: warnings.length === 0 ? JSON_HEADERS : withWarnings(JSON_HEADERS, warnings),
  });
}

/** Any object as an answer in the form that was negotiated. */
export function respond(
  object: JsonObject | KubeObject,
  accepted: Accepted,
  status = 200,
  warnings: readonly string[] = [],
): Response {
  const init = (type: string): ResponseInit => ({ status, headers: withWarnings({ 'content-type': type }, warnings) });
  switch (accepted.format) {
    case 'protobuf':
      return new Response(encodeProtobuf(object as JsonObject), init(PROTOBUF_TYPE));
    case 'yaml':
      return new Response(encodeYaml(object as JsonObject), init(YAML_TYPE));
    default:
      return new Response(JSON.stringify(object), init(JSON_TYPE));
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
  if (accepted.format === 'json' && accepted.as === undefined) {
    return url.searchParams.has('pretty')
      ? respondPretty(text, url, status, warnings)
      : respondText(text, status, warnings);
  }
  const object = JSON.parse(text) as KubeObject;
  return respond(transform(resource, object, accepted, url), accepted, status, warnings);
}

function respondPretty(text: string, url: URL, status: number, warnings: readonly string[]): Response {
  const pretty = url.searchParams.get('pretty');
  if (pretty === 'false' || pretty === '0') return respondText(text, status, warnings);
  return respondText(`${JSON.stringify(JSON.parse(text), null, 2)}\n`, status, warnings);
}

function transform(resource: Resource, object: KubeObject, accepted: Accepted, url: URL): JsonObject | KubeObject {
  switch (accepted.as) {
    case 'Table':
      return tableOf(
        resource,
        [object],
        {
          includeObject: includeObject(url.searchParams.get('includeObject')),
          resourceVersion: object.metadata.resourceVersion ?? '',
        },
        Date.now(),
      ) as JsonObject;
    case 'PartialObjectMetadata':
      return partial(object);
    default:
      return object;
  }
}

/** The object's metadata alone. */
export function partial(object: KubeObject): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

/** A failure as an answer; `Retry-After` where the Status says so. */
export function respondStatus(status: Status, warnings: readonly string[] = []): Response {
  const headers: Record<string, string> = { ...JSON_HEADERS };
  const retry = status.details?.retryAfterSeconds;
  if (retry !== undefined) headers['retry-after'] = String(retry);
  return new Response(JSON.stringify(status), { status: status.code, headers: withWarnings(headers, warnings) });
}

/** The result of a store's method; throws what it failed with. */
export function unwrap<T extends object>(result: T | { status: Status }): T {
  if ('status' in result) throw new StatusError(result.status);
  return result;
}
