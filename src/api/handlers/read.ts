/** get and list. */
import { notFound } from '../../apimachinery/errors.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { formatApiVersion } from '../../apimachinery/meta.ts';
import { type Resource, storeOf } from '../../resources/resource.ts';
import { listMeta } from '../../store/list.ts';
import type { ListPage } from '../../store/types.ts';
import type { Context, Requester, Store } from '../context.ts';
import { converting, readStored } from '../conversion/index.ts';
import { asStored, type ConvertedSelection, convertedSelection } from '../conversion/selection.ts';
import { type Accepted, formsOf, listFormsOf, negotiate } from '../negotiation.ts';
import { transformList } from '../printers/transform.ts';
import { decodeText, keyOf } from '../registry/encode.ts';
import { toScale } from '../registry/scale.ts';
import { respond, respondObject, respondText, unwrap } from '../respond.ts';
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
  const accepted = negotiate(request, formsOf(resource));
  const store = storeFor(context, resource);
  await requireVersion(store, url);
  const text = await store.get(requestKey(context, resource));
  if (text === null) throw notFound(resource, info.name);
  if (info.subresource === 'scale') {
    return respond(toScale(resource, decodeText(await readStored(context, resource, text))), accepted);
  }
  return respondObject(resource, await readStored(context, resource, text), accepted, url, 200, context.warnings);
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
  const accepted = negotiate(request, listFormsOf(resource));
  const asked = listQuery(resource, info, url);
  const selection = convertedSelection(resource, asked.fieldSelector);
  const query = asStored(asked, selection);
  const store = storeFor(context, resource);
  if (isPlain(resource, accepted)) {
    const kind = {
      kind: listKindOf(resource),
      apiVersion: formatApiVersion(resource),
      typed: resource.custom !== undefined,
    };
    const body = unwrap(await store.listBody(query, kind));
    return respondText(body, accepted, 200, context.warnings);
  }
  const page = unwrap(await store.list(query));
  // How many of the others would be selected nobody knows.
  if (selection !== undefined) delete page.remainingItemCount;
  return respondList(context, resource, page, accepted, selection);
}

/** A page of objects in the form that was asked for. */
export async function respondList(
  context: Context,
  resource: Resource,
  page: ListPage,
  accepted: Accepted,
  selection?: ConvertedSelection,
): Promise<Response> {
  const { url, warnings } = context;
  const items = await selectedItems(context, resource, page, selection);
  const kind = { kind: listKindOf(resource), apiVersion: formatApiVersion(resource) };
  const list = transformList(resource, items, listMeta(page), kind, accepted, url);
  return respond(list, accepted, 200, warnings);
}

/** Whether the stored texts are what the client takes. */
function isPlain(resource: Resource, { format, as, pretty }: Accepted): boolean {
  return format === 'json' && as === undefined && resource.conversion === undefined && !pretty;
}

const listKindOf = (resource: Resource): string => resource.listKind ?? `${resource.kind}List`;

/** The objects of a page in the version that is asked for, as far as they are selected. */
export async function selectedItems(
  context: Requester,
  resource: Resource,
  page: ListPage,
  selection: ConvertedSelection | undefined,
): Promise<KubeObject[]> {
  const { conversion } = resource;
  const objects = JSON.parse(`[${page.items}]`) as KubeObject[];
  if (conversion === undefined) return objects;
  const convert = (): KubeObject[] => objects.map((object) => conversion.fromStored(object));
  const converted = await converting(context, resource, convert, objects);
  return selection === undefined ? converted : converted.filter((object) => selection.selects(object));
}
