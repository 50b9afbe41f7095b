/** From a request's verb and resource to the function that answers it. */
import { badRequest, methodNotAllowed, noSuchPath } from '../apimachinery/errors.ts';
import { findResource } from '../resources/index.ts';
import { ALL_VERBS, type Resource, type Verb } from '../resources/resource.ts';
import type { Context } from './context.ts';
import { bindByBody } from './handlers/binding.ts';
import type { Handler } from './handlers/handler.ts';
import { patch } from './handlers/patch.ts';
import { get, list } from './handlers/read.ts';
import { metrics } from './handlers/resource-metrics.ts';
import { reviewHandler } from './handlers/reviews.ts';
import { subresourceHandler } from './handlers/subresources.ts';
import { watch } from './handlers/watch.ts';
import { create, remove, removeCollection, update } from './handlers/write.ts';
import { definedResources } from './registry/definitions.ts';

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
  const resource = findResource(info.group, info.version, info.resource) ?? (await customResource(context));
  if (resource === undefined) throw noSuchPath();
  if (!METHODS.has(request.method) && !(info.subresource === 'proxy' && PROXIED.has(request.method)))
    throw methodNotAllowed();
  if (!resource.namespaced && info.namespace !== '' && resource.resource !== 'namespaces') throw noSuchPath();
  if (resource.namespaced && info.namespace === '') checkScope(context, resource);
  // What is only ever asked has no path by name.
  if (isCreateOnly(resource) && info.name !== '') throw noSuchPath();
  checkPathNames(context);
  if (info.subresource !== '') {
    const handler = subresourceHandler(context, resource);
    if (handler === undefined) throw noSuchPath();
    warnOfDeprecation(context, resource);
    return handler(context, resource);
  }
  const handler = reviewHandler(resource) ?? computed(resource) ?? HANDLERS[info.verb as Verb];
  const verbs: readonly string[] = resource.verbs ?? ALL_VERBS;
  const named = info.name !== '';
  const fits = info.verb === 'create' ? !named : named || !NAMED.has(info.verb);
  if (handler === undefined || !verbs.includes(info.verb) || !fits) throw methodNotAllowed();
  warnOfDeprecation(context, resource);
  return handler(context, resource);
}

/** Only who gets an answer is warned: what there is no route for has nothing to say. */
function warnOfDeprecation({ warnings, audit }: Context, { deprecation }: Resource): void {
  if (deprecation === undefined) return;
  warnings.push(deprecation);
  audit?.annotate('k8s.io/deprecated', 'true');
}

/** The whole resource that the request names, with its schema; undefined where there is none. */
async function customResource({ info, snapshot, around }: Context): Promise<Resource | undefined> {
  const definition = snapshot.custom.find(info.group, info.version, info.resource);
  if (definition === undefined) return undefined;
  const { name, resourceVersion = '', deletionTimestamp } = definition.metadata;
  if (deletionTimestamp !== undefined && info.verb === 'create') throw methodNotAllowed();
  const found = definedResources(around, info.cluster, name, resourceVersion);
  return (found instanceof Promise ? await found : found)?.get(info.version);
}

const isBinding = ({ group, resource }: Resource): boolean => group === '' && resource === 'bindings';

/** The handler of what is not kept as it is sent: bindings, metrics. */
function computed(resource: Resource): Handler | undefined {
  if (isBinding(resource)) return bindByBody;
  return resource.computed === true ? metrics : undefined;
}

/** The methods that routes are made for. */
const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
/** And those that go on to a pod, a Service or a node. */
const PROXIED = new Set(['HEAD', 'OPTIONS']);
/** Verbs that a name goes with. */
const NAMED = new Set<string>(['update', 'patch']);

/** Reviews and bindings. */
const isCreateOnly = ({ verbs = ALL_VERBS }: Resource): boolean => verbs.length === 1 && verbs[0] === 'create';

/** A namespaced object is read and written in its namespace; only lists and watches may span all. */
function checkScope({ info }: Context, resource: Resource): void {
  if (info.name !== '' || isCreateOnly(resource)) throw noSuchPath();
  if (!(info.verb === 'list' || info.verb === 'watch')) throw methodNotAllowed();
}

/** Names that stand in a path cannot hold what parts paths, after upstream's `IsValidPathSegmentName`. */
function checkPathNames({ info }: Context): void {
  const { name, namespace } = info;
  // Upstream decodes before it takes paths apart: such a path has too many parts.
  if (name.includes('/') || namespace.includes('/')) throw noSuchPath();
  if (name.includes('%')) throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: may not contain '%'`);
}
