/** All that looks at requests by rules of the cluster's own: policies, then webhooks. */
import { validateByPolicies } from '../policy/index.ts';
import { mutateByWebhooks, validateByWebhooks } from '../webhook/index.ts';
import { MUTATING_POLICIES, MUTATING_WEBHOOKS, VALIDATING_POLICIES, VALIDATING_WEBHOOKS } from './facts.ts';
import { type Review, rulesOf } from './review.ts';

const IDS = [MUTATING_POLICIES, MUTATING_WEBHOOKS, VALIDATING_POLICIES, VALIDATING_WEBHOOKS];

/** Whether anything may have to say something about an operation. */
export function hearsOf(operation: Pick<Review, 'context' | 'resource' | 'operation' | 'subresource'>): boolean {
  const hooks = rulesOf(operation.context)?.hooks;
  return hooks !== undefined && IDS.some((id) => hooks.concerned(id, operation).length > 0);
}

/** Lets everything judge a request that nothing can change. Throws what the first refusal is. */
export async function validateReview(review: Review): Promise<void> {
  await mutateByWebhooks(review);
  await validateByPolicies(review);
  await validateByWebhooks(review);
}
