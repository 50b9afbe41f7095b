/** From a request's verb and resource to the function that answers it. */
import { methodNotSupported, noSuchPath } from '../apimachinery/errors.ts';
import { findResource } from '../resources/index.ts';
import { ALL_VERBS, type Resource, type Verb } from '../resources/resource.ts';
import type { Context } from './context.ts';
import { get, list } from './handlers/read.ts';
import { reviewHandler } from './handlers/reviews.ts';
import { subresourceHandler } from './handlers/subresources.ts';
import { watch } from './handlers/watch.ts';
import { create, patch, remove, removeCollection, update } from './handlers/write.ts';

/** Answers a request for a resource; throws a StatusError otherwise. */
export type Handler = (context: Context, resource: Resource) => Promise<Response>;

const HANDLERS: Record<Verb, Handler> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: remove,
  deletecollection: removeCollection,
};

/** Answers a request under `/api` or `/apis` that names a resource. */
export async function dispatch(context: Context): Promise<Response> {
  const { info, request } = context;
  const resource = findResource(info.group, info.version, info.resource);
  if (resource === undefined) throw noSuchPath();
  if (
    resource.namespaced ? misplaced(context, resource) : info.namespace !== '' && resource.resource !== 'namespaces'
  ) {
    throw noSuchPath();
  }
  if (info.subresource !== '') {
    const handler = subresourceHandler(context, resource);
    if (handler === undefined) throw noSuchPath();
    return handler(context, resource);
  }
  const handler = reviewHandler(resource) ?? HANDLERS[info.verb as Verb];
  const verbs: readonly string[] = resource.verbs ?? ALL_VERBS;
  if (handler === undefined || !verbs.includes(info.verb) || (info.verb === 'create' && info.name !== '')) {
    throw methodNotSupported(resource, request.method);
  }
  return handler(context, resource);
}

/** A namespaced object is read and written in its namespace; only lists and watches may span all. */
function misplaced({ info }: Context, resource: Resource): boolean {
  if (info.namespace !== '') return false;
  const createOnly = (resource.verbs ?? ALL_VERBS).length === 1;
  return info.name !== '' || !(info.verb === 'list' || info.verb === 'watch' || createOnly);
}
