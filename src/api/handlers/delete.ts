/** Deletions: inside the store where nobody else is concerned, judged here before where a policy or a webhook is. */
import type { JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import type { DeleteRequest } from '../../durable-objects/rpc.ts';
import type { Resource } from '../../resources/resource.ts';
import type { CommitResult, ListPage, ListQuery } from '../../store/types.ts';
import { hearsOf, validateReview } from '../admission/hooks/index.ts';
import { namespaceOf, type Review } from '../admission/hooks/review.ts';
import type { Requester } from '../context.ts';
import { readStored } from '../conversion/index.ts';
import { asStored, convertedSelection } from '../conversion/selection.ts';
import { decodeText, keyOf } from '../registry/encode.ts';
import { nameOf } from '../registry/resource-name.ts';
import { unwrap } from '../respond.ts';
import { selectedItems, storeFor } from './read.ts';

/** So often a deletion is judged anew when the object has become another meanwhile. */
const ATTEMPTS = 10;

/** Deletes an object of the request's namespace. Throws what a policy or a webhook refuses with; other failures are in the result. */
export async function deleteObject(
  context: Requester,
  resource: Resource,
  name: string,
  options: DeleteRequest,
  namespace = context.info.namespace,
): Promise<CommitResult> {
  const store = storeFor(context, resource);
  const key = keyOf(resource.namespaced ? namespace : undefined, name);
  const request = (more: Partial<DeleteRequest> = {}) =>
    ({ do: 'delete', resource: nameOf(resource), options: { ...options, ...more } }) as const;
  if (!hearsOf({ context, resource, operation: 'DELETE', subresource: '' })) return store.change(key, request());
  for (let attempt = 1; ; attempt++) {
    const text = await store.get(key);
    if (text === null) return store.change(key, request());
    const old = decodeText(await readStored(context, resource, text));
    await validateReview(deletionOf(context, resource, old, options));
    // What was judged is what goes, unless the client says so itself.
    const resourceVersion = options.preconditions?.resourceVersion ?? (old.metadata.resourceVersion as string);
    const result = await store.change(key, request({ preconditions: { ...options.preconditions, resourceVersion } }));
    const isOther = 'status' in result && result.status.reason === 'Conflict';
    if (!isOther || options.preconditions !== undefined || attempt === ATTEMPTS) return result;
  }
}

/** Deletes all that a query selects, each by itself where it is judged. Throws with the first that may not be deleted. */
export async function deleteSelected(
  context: Requester,
  resource: Resource,
  query: ListQuery,
  options: DeleteRequest,
): Promise<ListPage> {
  const store = storeFor(context, resource);
  const selection = convertedSelection(resource, query.fieldSelector);
  const isJudged = hearsOf({ context, resource, operation: 'DELETE', subresource: '' });
  if (!isJudged && selection === undefined) {
    return unwrap(await store.deleteCollection(query, { do: 'delete', resource: nameOf(resource), options }));
  }
  const page = unwrap(await store.list(asStored(query, selection)));
  for (const { metadata } of await selectedItems(context, resource, page, selection)) {
    const result = await deleteObject(context, resource, metadata.name, options, metadata.namespace ?? '');
    if (!('status' in result) || result.status.reason !== 'NotFound') unwrap(result);
  }
  return page;
}

function deletionOf(context: Requester, resource: Resource, old: KubeObject, options: DeleteRequest): Review {
  const { name, namespace = '' } = old.metadata;
  const { dryRun, node: _, ...rest } = options;
  return {
    context,
    resource,
    subresource: '',
    operation: 'DELETE',
    old,
    name,
    namespace: namespaceOf(resource, namespace, name),
    dryRun,
    options: {
      kind: 'DeleteOptions',
      apiVersion: 'meta.k8s.io/v1',
      ...(rest as JsonObject),
      ...(dryRun ? { dryRun: ['All'] } : {}),
    },
  };
}
