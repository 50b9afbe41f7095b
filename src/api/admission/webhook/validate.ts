/** ValidatingAdmissionWebhook: those who judge, all at once. */
import type { HookFact } from '../../../durable-objects/cluster-rpc.ts';
import { ReviewBindings } from '../hooks/bindings.ts';
import type { Review } from '../hooks/review.ts';
import { askWebhook, matchWebhook, webhooksOf } from './ask.ts';

/** Throws what the first webhook that refuses says, in their order. */
export async function askValidating(review: Review, concerned: readonly HookFact[]): Promise<void> {
  const values = new ReviewBindings(review);
  const asked = (await webhooksOf(review, concerned)).map(async (webhook, index) => {
    const matched = await matchWebhook(review, webhook, values);
    if (matched !== undefined) await askWebhook(review, webhook, matched, false, { round: 0, index });
  });
  for (const result of await Promise.allSettled(asked)) {
    if (result.status === 'rejected') throw result.reason;
  }
}
