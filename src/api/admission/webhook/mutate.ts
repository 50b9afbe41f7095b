/** MutatingAdmissionWebhook: those who change what is asked for, one after the other. */
import { internalError, StatusError } from '../../../apimachinery/errors.ts';
import type { Json, KubeObject } from '../../../apimachinery/meta.ts';
import { jsonPatch } from '../../../apimachinery/patch/index.ts';
import type { HookFact } from '../../../durable-objects/cluster-rpc.ts';
import type { Resource } from '../../../resources/resource.ts';
import { ReviewBindings } from '../hooks/bindings.ts';
import { inVersionOf } from '../hooks/match.ts';
import { type Mutable, replaceObject } from '../hooks/replace.ts';
import type { Review } from '../hooks/review.ts';
import { askWebhook, matchWebhook, webhooksOf } from './ask.ts';
import { noteMutation } from './notes.ts';

/** Lets the webhooks change the object. Throws what the first that refuses says. */
export async function askMutating(mutable: Mutable, concerned: readonly HookFact[]): Promise<void> {
  const { reinvocation } = mutable;
  for (const [index, webhook] of (await webhooksOf(mutable.review(), concerned)).entries()) {
    if (reinvocation?.skips(webhook.id)) continue;
    // What the one before has changed, this one sees.
    const review = mutable.review();
    const matched = await matchWebhook(review, webhook, new ReviewBindings(review));
    if (matched === undefined) continue;
    const turn = { round: reinvocation?.round ?? 0, index };
    let changed = false;
    try {
      const answer = await askWebhook(review, webhook, matched, true, turn);
      if (answer?.patch !== undefined) changed = await change(mutable, matched, answer.patch, webhook.name);
    } finally {
      noteMutation(review.context.audit, webhook, turn, changed);
    }
    reinvocation?.asked(webhook.id, changed, webhook.webhook.reinvocationPolicy === 'IfNeeded');
  }
}

/** Applies a patch; whether it changed anything. Throws InternalError for one that does not fit. */
async function change(mutable: Mutable, matched: Resource, patch: Json, webhook: string): Promise<boolean> {
  if (Array.isArray(patch) && patch.length === 0) return false;
  const { context, resource, object: before } = mutable.review();
  if (before === undefined) throw unchangeable(webhook);
  const seen = await inVersionOf(context, matched, resource, before);
  return replaceObject(mutable, matched, apply(seen, patch), false);
}

function apply(object: KubeObject, patch: Json): Json {
  try {
    return jsonPatch(structuredClone(object) as unknown as Json, patch);
  } catch (error) {
    throw error instanceof StatusError ? internalError(error.message) : error;
  }
}

/** Asks the webhooks about what nobody can change: a deletion. Throws what the first that refuses says. */
export async function askMutatingOnly(review: Review, concerned: readonly HookFact[]): Promise<void> {
  const values = new ReviewBindings(review);
  for (const [index, webhook] of (await webhooksOf(review, concerned)).entries()) {
    const matched = await matchWebhook(review, webhook, values);
    if (matched === undefined) continue;
    const answer = await askWebhook(review, webhook, matched, true, { round: 0, index });
    if (Array.isArray(answer?.patch) && answer.patch.length > 0) throw unchangeable(webhook.name);
  }
}

function unchangeable(webhook: string): StatusError {
  const why = 'attempted to modify the object, which is not supported for this operation';
  return internalError(`admission webhook ${JSON.stringify(webhook)} ${why}`);
}
