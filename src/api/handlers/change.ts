/** Updates and patches: inside the store where they concern nobody else, here where admission wants to see them. */
import { conflict, MODIFIED, StatusError } from '../../apimachinery/errors.ts';
import type { Resource } from '../../resources/resource.ts';
import type { CommitResult } from '../../store/types.ts';
import { admit, isAdmitted, validate } from '../admission/chain.ts';
import type { Operation } from '../admission/plugin.ts';
import { nodeNameOf } from '../authorization/node-authorizer.ts';
import type { Requester } from '../context.ts';
import { converting, isConvertedByWebhook } from '../conversion/index.ts';
import { outcomeOf, type Rewrite, revise, settleRevision } from '../registry/change.ts';
import { decodeText } from '../registry/encode.ts';
import { requestKey, storeFor } from './read.ts';

/** So often a change is worked out anew when the object has become another meanwhile. */
const ATTEMPTS = 10;

/** Changes the object that the request names. Failures are in the result. */
export async function changeObject(context: Requester, resource: Resource, asked: Rewrite): Promise<CommitResult> {
  const node = nodeNameOf(context.user);
  const request = node === undefined ? asked : { ...asked, options: { ...asked.options, node } };
  const key = requestKey(context, resource);
  const store = storeFor(context, resource);
  const { subresource = '' } = request;
  const operation: Operation = { context, resource, operation: 'UPDATE', subresource };
  if (!isWorkedOutHere(operation)) return store.change(key, request);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const text = await store.get(key);
    // That there is nothing is for the store to say, as ever.
    if (text === null) return store.change(key, request);
    const from = Number(decodeText(text).metadata.resourceVersion);
    const result = await judged(operation, request, { text, resourceVersion: from });
    if ('status' in result) return result;
    if (result.do === 'answer') return { deleted: false, resourceVersion: 0, ...result };
    const committed = await store.change(key, { do: 'commit', resource: request.resource, from, outcome: result });
    // The request's own preconditions have been checked: this is somebody else's change.
    if (!('status' in committed) || committed.status.reason !== 'Conflict') return committed;
  }
  return { status: conflict(resource, context.info.name, MODIFIED).status };
}

/** Whether a change is not for the store to work out: others have a say in it, or know what the object is in another version. */
export function isWorkedOutHere(operation: Operation): boolean {
  return isConvertedByWebhook(operation.resource) || isAdmitted(operation);
}

async function judged(operation: Operation, request: Rewrite, current: Parameters<typeof revise>[2]) {
  const { context, resource } = operation;
  try {
    const revision = await converting(context, resource, () => revise(resource, request, current));
    const { next: object, old } = revision;
    const attributes = { ...operation, object, old, options: request.options };
    await admit(attributes);
    settleRevision(revision);
    await validate(attributes);
    const outcome = await converting(context, resource, () => outcomeOf(revision));
    return outcome.do === 'fail' ? { status: outcome.status } : outcome;
  } catch (error) {
    if (error instanceof StatusError) return { status: error.status };
    throw error;
  }
}
