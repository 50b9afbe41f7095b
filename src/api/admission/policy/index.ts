/** ValidatingAdmissionPolicy: rules in CEL that an administrator binds to what requests do. */
import { VALIDATING_POLICIES } from '../hooks/facts.ts';
import { type Review, reviewOf, rulesOf } from '../hooks/review.ts';
import type { AdmissionPlugin } from '../plugin.ts';
import { askPolicies } from './dispatch.ts';

export const validatingPolicy: AdmissionPlugin = {
  name: 'ValidatingAdmissionPolicy',
  handles: (operation) => concernedBy(operation).length > 0,
  validate: (attributes) => validateByPolicies(reviewOf(attributes)),
};

const concernedBy = (operation: Pick<Review, 'context' | 'resource' | 'operation' | 'subresource'>) =>
  rulesOf(operation.context)?.hooks.concerned(VALIDATING_POLICIES, operation) ?? [];

/** Throws what the first policy that denies the request says. */
export function validateByPolicies(review: Review): void | Promise<void> {
  const concerned = concernedBy(review);
  if (concerned.length > 0) return askPolicies(review, concerned);
}
