/** The admission webhooks of a cluster. */
import { MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS } from '../hooks/facts.ts';
import { type Mutable, mutableWrite } from '../hooks/replace.ts';
import { type Review, reviewOf, rulesOf } from '../hooks/review.ts';
import type { AdmissionPlugin } from '../plugin.ts';
import { askMutating, askMutatingOnly } from './mutate.ts';
import { askValidating } from './validate.ts';

type What = Pick<Review, 'context' | 'resource' | 'operation' | 'subresource'>;

const concernedBy = (id: typeof MUTATING_WEBHOOKS | typeof VALIDATING_WEBHOOKS, operation: What) =>
  rulesOf(operation.context)?.hooks.concerned(id, operation) ?? [];

export const mutatingWebhook: AdmissionPlugin = {
  name: 'MutatingAdmissionWebhook',
  handles: (operation) => concernedBy(MUTATING_WEBHOOKS, operation).length > 0,
  admit: (attributes) => mutateByWebhooks(mutableWrite(attributes)),
};

export const validatingWebhook: AdmissionPlugin = {
  name: 'ValidatingAdmissionWebhook',
  handles: (operation) => concernedBy(VALIDATING_WEBHOOKS, operation).length > 0,
  validate: (attributes) => validateByWebhooks(reviewOf(attributes)),
};

/** Lets the webhooks change the object. Throws what the first that refuses says. */
export async function mutateByWebhooks(mutable: Mutable): Promise<void> {
  const concerned = concernedBy(MUTATING_WEBHOOKS, mutable.review());
  if (concerned.length > 0) await askMutating(mutable, concerned);
}

/** Lets those webhooks judge what they cannot change that could change others. Throws what the first that refuses says. */
export async function hearMutatingWebhooks(review: Review): Promise<void> {
  const mutating = concernedBy(MUTATING_WEBHOOKS, review);
  if (mutating.length > 0) await askMutatingOnly(review, mutating);
}

/** Throws what the first webhook that refuses says. */
export function validateByWebhooks(review: Review): void | Promise<void> {
  const concerned = concernedBy(VALIDATING_WEBHOOKS, review);
  if (concerned.length > 0) return askValidating(review, concerned);
}
