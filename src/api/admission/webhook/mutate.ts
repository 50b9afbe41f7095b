/** MutatingAdmissionWebhook: those who change what is asked for, one after the other. */
import { decodeJson } from '../../../apimachinery/codec/index.ts';
import { deepEqual } from '../../../apimachinery/equal.ts';
import { internalError, StatusError } from '../../../apimachinery/errors.ts';
import type { Json, KubeObject } from '../../../apimachinery/meta.ts';
import { jsonPatch } from '../../../apimachinery/patch/index.ts';
import { schemaFor } from '../../../apimachinery/schema/index.ts';
import type { HookFact } from '../../../durable-objects/cluster-rpc.ts';
import type { Resource } from '../../../resources/resource.ts';
import { ensureNamespace } from '../../registry/create.ts';
import { decodeCustom } from '../../registry/custom.ts';
import { applyScale } from '../../registry/scale.ts';
import { ReviewBindings } from '../hooks/bindings.ts';
import { inVersionOf } from '../hooks/match.ts';
import { type Review, reviewOf } from '../hooks/review.ts';
import type { Attributes } from '../plugin.ts';
import { askWebhook, matchWebhook, webhooksOf } from './ask.ts';

/** Lets the webhooks change the object, in place. Throws what the first that refuses says. */
export async function askMutating(attributes: Attributes, concerned: readonly HookFact[]): Promise<void> {
  const { reinvocation } = attributes;
  for (const webhook of await webhooksOf(reviewOf(attributes), concerned)) {
    if (reinvocation?.skips(webhook.id)) continue;
    // What the one before has changed, this one sees.
    const review = reviewOf(attributes);
    const matched = await matchWebhook(review, webhook, new ReviewBindings(review));
    if (matched === undefined) continue;
    const answer = await askWebhook(review, webhook, matched, true);
    const changed = answer?.patch !== undefined && change(attributes, review, matched, answer.patch, webhook.name);
    reinvocation?.asked(webhook.id, changed, webhook.webhook.reinvocationPolicy === 'IfNeeded');
  }
}

/** Applies a patch; whether it changed anything. Throws InternalError for one that does not fit. */
function change(attributes: Attributes, review: Review, matched: Resource, patch: Json, webhook: string): boolean {
  if (Array.isArray(patch) && patch.length === 0) return false;
  const before = review.object;
  if (before === undefined) throw unchangeable(webhook);
  const seen = structuredClone(inVersionOf(matched, review.resource, before));
  const patched = decodePatched(review, matched, seen, apply(seen, patch));
  if (deepEqual(patched, inVersionOf(matched, review.resource, before))) return false;
  accept(attributes, inVersionOf(review.resource, matched, patched));
  return true;
}

function apply(object: KubeObject, patch: Json): Json {
  try {
    return jsonPatch(structuredClone(object) as unknown as Json, patch);
  } catch (error) {
    throw error instanceof StatusError ? internalError(error.message) : error;
  }
}

/** What is left of the patched object once it is read as what it is to be. */
function decodePatched(review: Review, matched: Resource, before: KubeObject, patched: Json): KubeObject {
  const { kind = '', apiVersion = '' } = before;
  const custom = review.subresource === 'scale' ? undefined : matched.custom;
  try {
    const { object } =
      custom === undefined
        ? decodeJson(patched, schemaFor(apiVersion, kind), { strict: false })
        : decodeCustom(patched, kind, custom, { strict: false });
    if (object['kind'] !== kind || object['apiVersion'] !== apiVersion || object['metadata'] === undefined) {
      throw internalError(`a webhook may not change the kind of ${kind} in version ${JSON.stringify(apiVersion)}`);
    }
    return object as unknown as KubeObject;
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.code === 500) throw error;
    throw internalError(error.message);
  }
}

/** Puts the new state in the place of the old. What the server gave the object, it keeps; who changes what may not change is told later. */
function accept({ context, resource, subresource, operation, object, old }: Attributes, patched: KubeObject): void {
  const { uid, creationTimestamp } = object.metadata;
  const next = subresource === 'scale' ? applyScale(resource, object, patched) : patched;
  for (const key of Object.keys(object)) Reflect.deleteProperty(object, key);
  Object.assign(object, next);
  if (subresource !== '') return;
  if (operation === 'CREATE') {
    Object.assign(object.metadata, { uid, creationTimestamp });
    ensureNamespace(resource, object, context.info.namespace);
  } else {
    const { generation } = old?.metadata ?? {};
    if (generation === undefined) delete object.metadata.generation;
    else object.metadata.generation = generation;
  }
  resource.strategy.default?.(object);
}

/** Asks the webhooks about what nobody can change: a deletion. Throws what the first that refuses says. */
export async function askMutatingOnly(review: Review, concerned: readonly HookFact[]): Promise<void> {
  const values = new ReviewBindings(review);
  for (const webhook of await webhooksOf(review, concerned)) {
    const matched = await matchWebhook(review, webhook, values);
    if (matched === undefined) continue;
    const answer = await askWebhook(review, webhook, matched, true);
    if (Array.isArray(answer?.patch) && answer.patch.length > 0) throw unchangeable(webhook.name);
  }
}

function unchangeable(webhook: string): StatusError {
  const why = 'attempted to modify the object, which is not supported for this operation';
  return internalError(`admission webhook ${JSON.stringify(webhook)} ${why}`);
}
