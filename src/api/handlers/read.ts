/** get and list. */
import { notFound } from '../../apimachinery/errors.ts';
import type { JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import { formatApiVersion } from '../../apimachinery/meta.ts';
import { type Resource, storeOf } from '../../resources/resource.ts';
import { listMeta } from '../../store/list.ts';
import type { ListPage } from '../../store/types.ts';
import type { Context, Requester, Store } from '../context.ts';
import { type Accepted, negotiate } from '../negotiation.ts';
import { includeObject, tableOf } from '../printers/table.ts';
import { fromStored } from '../registry/conversion.ts';
import { decodeText, keyOf } from '../registry/encode.ts';
import { toScale } from '../registry/scale.ts';
import { partial, respond, respondObject, respondText, unwrap } from '../respond.ts';
import { listQuery } from './options.ts';

/** The store that keeps a resource of the request's cluster. */
export function storeFor(context: Requester, resource: Resource): Store {
  return context.around.store(context.info.cluster, storeOf(resource));
}

/** The key that the request names. */
export function requestKey(context: Requester, resource: Resource): string {
  return keyOf(resource.namespaced ? context.info.namespace : undefined, context.info.name);
}

/** GET of one object. */
export async function get(context: Context, resource: Resource): Promise<Response> {
  const { info, url, request } = context;
  const accepted = negotiate(request.headers.get('accept'));
  const store = storeFor(context, resource);
  await requireVersion(store, url);
  const text = await store.get(requestKey(context, resource));
  if (text === null) throw notFound(resource, info.name);
  if (info.subresource === 'scale') return respond(toScale(resource, decodeText(text)), accepted);
  return respondObject(resource, fromStored(resource, text), accepted, url, 200, context.warnings);
}

/** A get is always of the newest state; throws for a resourceVersion that the store has not reached. */
async function requireVersion(store: Store, url: URL): Promise<void> {
  const version = url.searchParams.get('resourceVersion') ?? '';
  if (version === '' || version === '0') return;
  unwrap(await store.list({ prefix: NOTHING, resourceVersion: version }));
}

/** A prefix that no key has. */
const NOTHING = '\u0000';

/** GET of a collection. */
export async function list(context: Context, resource: Resource): Promise<Response> {
  const { info, url, request } = context;
  const accepted = negotiate(request.headers.get('accept'));
  const query = listQuery(resource, info, url);
  const store = storeFor(context, resource);
  if (isPlain(resource, accepted, url)) {
    const kind = { kind: listKindOf(resource), apiVersion: formatApiVersion(resource) };
    const body = unwrap(await store.listBody(query, kind));
    return respondText(body, 200, context.warnings);
  }
  const page = unwrap(await store.list(query));
  return respondList(resource, page, accepted, url, context.warnings);
}

/** A page of objects in the form that was asked for. */
export function respondList(
  resource: Resource,
  page: ListPage,
  accepted: Accepted,
  url: URL,
  warnings: readonly string[],
): Response {
  const items = itemsOf(resource, page);
  return respond(transformList(resource, items, listMeta(page), accepted, url), accepted, 200, warnings);
}

/** Whether the stored texts are what the client takes. */
function isPlain(resource: Resource, { format, as }: Accepted, url: URL): boolean {
  return format === 'json' && as === undefined && resource.conversion === undefined && !url.searchParams.has('pretty');
}

const listKindOf = (resource: Resource): string => resource.listKind ?? `${resource.kind}List`;

function itemsOf(resource: Resource, page: ListPage): KubeObject[] {
  const objects = JSON.parse(`[${page.items}]`) as KubeObject[];
  return resource.conversion === undefined ? objects : objects.map((object) => resource.conversion!.fromStored(object));
}

function transformList(
  resource: Resource,
  items: KubeObject[],
  metadata: JsonObject,
  accepted: Accepted,
  url: URL,
): JsonObject {
  if (accepted.as === 'Table') {
    const options = {
      ...metadata,
      resourceVersion: String(metadata['resourceVersion']),
      includeObject: includeObject(url.searchParams.get('includeObject')),
    };
    return tableOf(resource, items, options, Date.now()) as JsonObject;
  }
  if (accepted.as !== undefined) {
    return {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata,
      // Where a full list is empty, upstream's partial one is null.
      items: items.length === 0 ? null : (items.map(partial) as unknown as JsonObject[]),
    };
  }
  return {
    kind: listKindOf(resource),
    apiVersion: formatApiVersion(resource),
    metadata,
    items: items.map(untyped),
  };
}

/** Kind and apiVersion of what a list holds are the list's to say. */
function untyped({ kind: _, apiVersion: __, ...object }: KubeObject): JsonObject {
  return object as unknown as JsonObject;
}
