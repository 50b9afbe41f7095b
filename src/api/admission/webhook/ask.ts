/** Whether a webhook is to be asked, and what it says. */
import { badRequest, forbidden, internalError } from '../../../apimachinery/errors.ts';
import type { Json, JsonObject } from '../../../apimachinery/meta.ts';
import type { HookFact } from '../../../durable-objects/cluster-rpc.ts';
import type { Resource } from '../../../resources/resource.ts';
import type { ReviewBindings } from '../hooks/bindings.ts';
import { COST_BUDGET, meets } from '../hooks/conditions.ts';
import { inVersionOf, matchRules, matchSelectors } from '../hooks/match.ts';
import { admissionRequest, type Review } from '../hooks/review.ts';
import { type Answer, readAnswer } from './answer.ts';
import { callWebhook } from './call.ts';
import { type CompiledWebhook, webhooks } from './compile.ts';
import { CallError, denial } from './errors.ts';
import { noteFailedOpen, type Turn } from './notes.ts';

/** The webhooks of the configurations that are concerned, in their order. */
export async function webhooksOf(review: Review, concerned: readonly HookFact[]): Promise<CompiledWebhook[]> {
  const lists = await Promise.all(concerned.map((fact) => webhooks.get(review.context, fact)));
  return lists.flatMap((list) => list ?? []);
}

/**
 * The resource in the version that the webhook asks for; undefined where it need not be asked. Throws Forbidden where that cannot be told
 * and the webhook fails closed.
 */
export async function matchWebhook(
  review: Review,
  { webhook, conditions, fails }: CompiledWebhook,
  values: ReviewBindings,
): Promise<Resource | undefined> {
  const matched = matchRules(review, webhook.rules ?? [], webhook.matchPolicy !== 'Exact');
  if (matched === undefined || !(await matchSelectors(review, webhook))) return undefined;
  if (conditions.length === 0) return matched;
  const met = meets(conditions, await values.for(matched), { left: COST_BUDGET });
  if (met === true) return matched;
  if (met !== false && fails) throw forbidden(review.resource, review.name, met.error);
  return undefined;
}

/**
 * What the webhook answers; undefined where it failed open. Its warnings are in the context's. Throws what it refuses with, BadRequest
 * where it cannot be asked in a dry run, InternalError where it failed closed.
 */
export async function askWebhook(
  review: Review,
  webhook: CompiledWebhook,
  matched: Resource,
  mutating: boolean,
  turn: Turn,
): Promise<Answer | undefined> {
  const { name, fails } = webhook;
  if (review.dryRun && !['None', 'NoneOnDryRun'].includes(webhook.webhook.sideEffects ?? '')) {
    throw badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);
  }
  const uid = crypto.randomUUID();
  try {
    const said = await callWebhook(review.context, webhook, await admissionReview(review, webhook, matched, uid));
    const answer = readAnswer(webhook, said, uid, mutating);
    review.context.warnings.push(...answer.warnings);
    for (const [key, value] of Object.entries(answer.auditAnnotations)) {
      review.context.audit?.annotate(`${name}/${key}`, value);
    }
    if (!answer.allowed) throw denial(name, answer.result);
    return answer;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    console.warn(error.message);
    if (fails) throw internalError(error.message);
    noteFailedOpen(review.context.audit, webhook, turn, mutating);
    return undefined;
  }
}

async function admissionReview(
  review: Review,
  { version }: CompiledWebhook,
  matched: Resource,
  uid: string,
): Promise<JsonObject> {
  const { context, resource } = review;
  const seen = async (object: Review['object']): Promise<Json> =>
    object === undefined ? null : ((await inVersionOf(context, matched, resource, object)) as unknown as Json);
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      ...admissionRequest(review, matched),
      object: await seen(review.object),
      oldObject: await seen(review.old),
    },
  };
}
