/** All that looks at requests by rules of the cluster's own: policies, then webhooks. */
import { validateByPolicies } from '../policy/index.ts';
import { VALIDATING_POLICIES } from './facts.ts';
import type { Review } from './review.ts';

/** Whether anything may have to say something about an operation. */
export function hearsOf(operation: Pick<Review, 'context' | 'resource' | 'operation' | 'subresource'>): boolean {
  const hooks = operation.context.snapshot?.hooks;
  return hooks !== undefined && hooks.concerned(VALIDATING_POLICIES, operation).length > 0;
}

/** Lets everything judge a request that nothing can change. Throws what the first refusal is. */
export async function validateReview(review: Review): Promise<void> {
  await validateByPolicies(review);
}
