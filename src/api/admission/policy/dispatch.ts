/** Asks all policies that a request concerns, and refuses with the first denial (`validating.dispatcher`). */
import type { Bindings } from '../../../apimachinery/cel/policy.ts';
import { toCel } from '../../../apimachinery/cel/values.ts';
import { forbidden, type StatusError } from '../../../apimachinery/errors.ts';
import type { Json } from '../../../apimachinery/meta.ts';
import type { HookFact } from '../../../durable-objects/cluster-rpc.ts';
import type { ValidatingAdmissionPolicyBinding } from '../../../generated/types/admissionregistration.v1.ts';
import { ReviewBindings } from '../hooks/bindings.ts';
import { VALIDATING_BINDINGS } from '../hooks/facts.ts';
import type { Review } from '../hooks/review.ts';
import { bindings, type CompiledPolicy, policies } from './compile.ts';
import { type Denial, decide } from './decide.ts';
import { type Invocation, invocationsOf } from './invocations.ts';
import { PolicyNotes } from './notes.ts';

interface Said extends Denial {
  policy: string;
  binding?: string;
}

const CODES: Record<string, number> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413, Invalid: 422 };
const VALIDATING = { policies, bindings, bindingStore: VALIDATING_BINDINGS };

/** Throws what the first policy that denies the request says; what others only warn of is in the context's warnings. */
export async function askPolicies(review: Review, concerned: readonly HookFact[]): Promise<void> {
  const values = new ReviewBindings(review);
  const notes = new PolicyNotes(review.context.audit);
  const denials: Said[] = [];
  for (const found of await invocationsOf(review, concerned, VALIDATING)) {
    if (!('problem' in found)) denials.push(...(await askBinding(review, found, values, notes)));
    else if (found.policy.fails) {
      const { policy, binding, problem: message } = found;
      const said = { policy: policy.name, message, reason: '', index: 0 };
      denials.push(binding === undefined ? said : { ...said, binding });
    }
  }
  notes.publish();
  const [first] = denials;
  if (first !== undefined) throw refusal(review, first);
}

async function askBinding(
  review: Review,
  { policy, binding, matched, params }: Invocation<CompiledPolicy, ValidatingAdmissionPolicyBinding>,
  values: ReviewBindings,
  notes: PolicyNotes,
): Promise<Said[]> {
  const { name } = binding.metadata;
  const { validationActions = [] } = binding.spec ?? {};
  const common = params.length === 0 ? {} : await values.for(matched);
  const denials = params.flatMap((param) => {
    const given: Bindings =
      policy.paramKind === undefined ? common : { ...common, params: toCel(param as unknown as Json) };
    return decide(policy, given, (key, value) => notes.annotate(policy.name, key, value));
  });
  if (validationActions.includes('Audit')) {
    for (const denial of denials) notes.failed({ ...denial, policy: policy.name, binding: name }, validationActions);
  }
  if (validationActions.includes('Warn')) {
    const by = `ValidatingAdmissionPolicy '${policy.name}' with binding '${name}'`;
    for (const { message } of denials) review.context.warnings.push(`Validation failed for ${by}: ${message}`);
  }
  if (!validationActions.includes('Deny')) return [];
  return denials.map((denial) => ({ ...denial, policy: policy.name, binding: name }));
}

function refusal({ resource, name }: Review, { policy, binding, message: why, reason }: Said): StatusError {
  const by = binding === undefined ? '' : ` with binding '${binding}'`;
  const message = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${why}`;
  const error = forbidden(resource, name, message);
  const { status } = error;
  status.reason = reason || 'Invalid';
  status.code = CODES[status.reason] ?? 422;
  status.details = { ...status.details, causes: [{ message }] };
  return error;
}
