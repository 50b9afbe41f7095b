/** MutatingAdmissionPolicies made into what they do. */
import type { KubeObject } from '../../../../apimachinery/meta.ts';
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from '../../../../generated/types/admissionregistration.v1.ts';
import type { Condition } from '../../hooks/conditions.ts';
import { MUTATING_BINDINGS } from '../../hooks/facts.ts';
import { HookCache } from '../../hooks/load.ts';
import { type AnyPolicy, compileAny } from '../any-policy.ts';

export type PatchType = 'ApplyConfiguration' | 'JSONPatch';

export interface CompiledMutation extends Condition {
  patchType: PatchType;
}

export interface CompiledMutatingPolicy extends AnyPolicy {
  /** `reinvocationPolicy` is IfNeeded. */
  mayAgain: boolean;
  mutations: readonly CompiledMutation[];
}

/** What a policy does. Its expressions have been found good when it was made; one that is not any more fails when it is reached. */
export function compileMutatingPolicy(policy: MutatingAdmissionPolicy): CompiledMutatingPolicy {
  const { reinvocationPolicy, mutations = [] } = policy.spec ?? {};
  const any = compileAny(policy);
  const { compiler } = any;
  return {
    ...any,
    mayAgain: reinvocationPolicy === 'IfNeeded',
    mutations: mutations.map(({ patchType: type, applyConfiguration, jsonPatch }) => {
      const patchType = type === 'JSONPatch' ? 'JSONPatch' : 'ApplyConfiguration';
      const expression = (patchType === 'JSONPatch' ? jsonPatch : applyConfiguration)?.expression ?? '';
      return { patchType, expression, compiled: compiler.mutation(expression, patchType) };
    }),
  };
}

/** Policies and bindings, once for each version of them. */
export const MUTATING = {
  policies: new HookCache<CompiledMutatingPolicy>((object: KubeObject) => compileMutatingPolicy(object)),
  bindings: new HookCache<MutatingAdmissionPolicyBinding>((object: KubeObject) => object),
  bindingStore: MUTATING_BINDINGS,
};
