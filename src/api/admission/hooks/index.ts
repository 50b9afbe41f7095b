/** All that looks at requests by rules of the cluster's own: policies, then webhooks. */
import { validateByPolicies } from '../policy/index.ts';
import { mutateByPolicies } from '../policy/mutating/index.ts';
import { hearMutatingWebhooks, mutateByWebhooks, validateByWebhooks } from '../webhook/index.ts';
import { MUTATING_POLICIES, MUTATING_WEBHOOKS, VALIDATING_POLICIES, VALIDATING_WEBHOOKS } from './facts.ts';
import { Reinvocation } from './reinvocation.ts';
import type { Mutable } from './replace.ts';
import { type Review, rulesOf } from './review.ts';

const IDS = [MUTATING_POLICIES, MUTATING_WEBHOOKS, VALIDATING_POLICIES, VALIDATING_WEBHOOKS];

/** Whether anything may have to say something about an operation. */
export function hearsOf(operation: Pick<Review, 'context' | 'resource' | 'operation' | 'subresource'>): boolean {
  const hooks = rulesOf(operation.context)?.hooks;
  return hooks !== undefined && IDS.some((id) => hooks.concerned(id, operation).length > 0);
}

/** Lets everything judge a request that nothing can change. Throws what the first refusal is. */
export async function validateReview(review: Review): Promise<void> {
  await hearMutatingWebhooks(review);
  await judge(review);
}

/** Lets everything change a request that no plugin else has a say in, and judge what has become of it. Throws what the first refusal is. */
export async function admitReview(mutable: Omit<Mutable, 'reinvocation'>): Promise<void> {
  const reinvocation = new Reinvocation();
  const all = { ...mutable, reinvocation };
  const mutate = async (): Promise<void> => {
    await mutateByPolicies(all);
    await mutateByWebhooks(all);
  };
  await mutate();
  if (reinvocation.begin()) await mutate();
  await judge(mutable.review());
}

async function judge(review: Review): Promise<void> {
  await validateByPolicies(review);
  await validateByWebhooks(review);
}
