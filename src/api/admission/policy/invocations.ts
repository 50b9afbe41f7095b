/** Which policies a request concerns, with which bindings and parameters (upstream's `generic.policyDispatcher`). */
import type { ResourceId } from '../../../apimachinery/client.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type { HookFact } from '../../../durable-objects/cluster-rpc.ts';
import type { MatchResources, ParamRef } from '../../../generated/types/admissionregistration.v1.ts';
import type { Resource } from '../../../resources/resource.ts';
import type { HookCache } from '../hooks/load.ts';
import { matchResources } from '../hooks/match.ts';
import { type Review, rulesOf } from '../hooks/review.ts';
import type { AnyPolicy } from './any-policy.ts';
import { ConfigurationError, collectParams, paramResource } from './params.ts';

/** What bindings of both kinds have. */
export type AnyBinding = KubeObject & { spec?: { matchResources?: MatchResources; paramRef?: ParamRef } };

/** A policy that a binding makes one of the request's. */
export interface Invocation<P extends AnyPolicy, B extends AnyBinding> {
  policy: P;
  binding: B;
  /** The resource in the version that the policy asks for. */
  matched: Resource;
  /** It is asked with each; `null` where it is asked without any. */
  params: readonly (KubeObject | null)[];
}

/** A policy or a binding that cannot be asked. */
export interface Misconfigured<P extends AnyPolicy> {
  policy: P;
  /** The binding's name, where it is to blame. */
  binding?: string;
  problem: string;
}

/** Where policies of a kind and their bindings are kept. */
export interface PolicyKind<P extends AnyPolicy, B extends AnyBinding> {
  policies: HookCache<P>;
  bindings: HookCache<B>;
  bindingStore: ResourceId;
}

/** All that concern the request, in their order. Throws what looking for them throws. */
export async function invocationsOf<P extends AnyPolicy, B extends AnyBinding>(
  review: Review,
  concerned: readonly HookFact[],
  { policies, bindings, bindingStore }: PolicyKind<P, B>,
): Promise<(Invocation<P, B> | Misconfigured<P>)[]> {
  const found: (Invocation<P, B> | Misconfigured<P>)[] = [];
  for (const fact of concerned) {
    const bound = rulesOf(review.context)?.hooks.bindings(bindingStore, fact.name) ?? [];
    if (bound.length === 0) continue;
    const policy = await policies.get(review.context, fact);
    if (policy === undefined) continue;
    const matched = await matchResources(review, policy.match);
    if (matched === undefined) continue;
    const { paramKind } = policy;
    const kind =
      paramKind === undefined ? undefined : await orProblem(() => paramResource(review.context, paramKind), 'policy');
    if (typeof kind === 'string') {
      found.push({ policy, problem: kind });
      continue;
    }
    for (const one of bound) {
      const binding = await bindings.get(review.context, one);
      if (binding === undefined) continue;
      const params = await orProblem(() => paramsOf(review, binding, kind), 'binding');
      if (typeof params === 'string') found.push({ policy, binding: one.name, problem: params });
      else if (params !== undefined) found.push({ policy, binding, matched, params });
    }
  }
  return found;
}

/** Undefined where the binding does not match. Throws a ConfigurationError. */
async function paramsOf(
  review: Review,
  { spec = {} }: AnyBinding,
  kind: Resource | undefined,
): Promise<readonly (KubeObject | null)[] | undefined> {
  const { matchResources: match, paramRef } = spec;
  if (match !== undefined && (await matchResources(review, match)) === undefined) return undefined;
  if (kind === undefined || paramRef === undefined) return [null];
  return collectParams(review.context, kind, paramRef, review.namespace);
}

async function orProblem<T>(ask: () => Promise<T>, what: 'policy' | 'binding'): Promise<T | string> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ConfigurationError) return `failed to configure ${what}: ${error.message}`;
    throw error;
  }
}
