/** Asks all policies that a request concerns, and refuses with the first denial (`validating.dispatcher`). */
import type { Bindings } from '../../../apimachinery/cel/policy.ts';
import { toCel } from '../../../apimachinery/cel/values.ts';
import { forbidden, type StatusError } from '../../../apimachinery/errors.ts';
import type { Json } from '../../../apimachinery/meta.ts';
import type { HookFact } from '../../../durable-objects/cluster-rpc.ts';
import type { ValidatingAdmissionPolicyBinding } from '../../../generated/types/admissionregistration.v1.ts';
import type { Resource } from '../../../resources/resource.ts';
import { ReviewBindings } from '../hooks/bindings.ts';
import { VALIDATING_BINDINGS } from '../hooks/facts.ts';
import type { Hooks } from '../hooks/hooks.ts';
import { matchResources } from '../hooks/match.ts';
import type { Review } from '../hooks/review.ts';
import { bindings, type CompiledPolicy, policies } from './compile.ts';
import { type Denial, decide } from './decide.ts';
import { ConfigurationError, collectParams, paramResource } from './params.ts';

interface Said extends Denial {
  policy: string;
  binding?: string;
}

const CODES: Record<string, number> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413, Invalid: 422 };

/** Throws what the first policy that denies the request says; what others only warn of is in the context's warnings. */
export async function askPolicies(review: Review, concerned: readonly HookFact[], hooks: Hooks): Promise<void> {
  const values = new ReviewBindings(review);
  const denials: Said[] = [];
  for (const fact of concerned) {
    const bound = hooks.bindings(VALIDATING_BINDINGS, fact.name);
    if (bound.length === 0) continue;
    const policy = await policies.get(review.context, fact);
    if (policy === undefined) continue;
    denials.push(...(await askPolicy(review, policy, bound, values)));
  }
  const [first] = denials;
  if (first !== undefined) throw refusal(review, first);
}

async function askPolicy(
  review: Review,
  policy: CompiledPolicy,
  bound: readonly HookFact[],
  values: ReviewBindings,
): Promise<Said[]> {
  const { name, match, paramKind, fails } = policy;
  const matched = await matchResources(review, match);
  if (matched === undefined) return [];
  /** Answers the denial that a wrong configuration is, where the policy fails closed. */
  const guard = async (what: string, binding: string | undefined, ask: () => Promise<Said[]>): Promise<Said[]> => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      if (!fails) return [];
      const said = { policy: name, message: `failed to configure ${what}: ${error.message}`, reason: '', index: 0 };
      return [binding === undefined ? said : { ...said, binding }];
    }
  };
  return guard('policy', undefined, async () => {
    const kind = paramKind === undefined ? undefined : await paramResource(review.context, paramKind);
    const said: Said[] = [];
    for (const fact of bound) {
      const binding = await bindings.get(review.context, fact);
      if (binding === undefined) continue;
      said.push(
        ...(await guard('binding', fact.name, () => askBinding(review, policy, binding, matched, kind, values))),
      );
    }
    return said;
  });
}

async function askBinding(
  review: Review,
  policy: CompiledPolicy,
  { metadata, spec = {} }: ValidatingAdmissionPolicyBinding,
  matched: Resource,
  kind: Resource | undefined,
  values: ReviewBindings,
): Promise<Said[]> {
  const { matchResources: match, paramRef, validationActions = [] } = spec;
  if (match !== undefined && (await matchResources(review, match)) === undefined) return [];
  const params =
    kind === undefined || paramRef === undefined
      ? [null]
      : await collectParams(review.context, kind, paramRef, review.namespace);
  const common = params.length === 0 ? {} : await values.for(matched);
  const denials = params.flatMap((param) => {
    const given: Bindings = { ...common, ...(kind === undefined ? {} : { params: toCel(param as unknown as Json) }) };
    return decide(policy, given);
  });
  if (validationActions.includes('Warn')) {
    const by = `ValidatingAdmissionPolicy '${policy.name}' with binding '${metadata.name}'`;
    for (const { message } of denials) review.context.warnings.push(`Validation failed for ${by}: ${message}`);
  }
  if (!validationActions.includes('Deny')) return [];
  return denials.map((denial) => ({ ...denial, policy: policy.name, binding: metadata.name }));
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
