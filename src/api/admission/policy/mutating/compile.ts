/** MutatingAdmissionPolicies made into what they do. */
import { PolicyCompiler } from '../../../../apimachinery/cel/policy.ts';
import type { KubeObject } from '../../../../apimachinery/meta.ts';
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from '../../../../generated/types/admissionregistration.v1.ts';
import { type Condition, compileConditions } from '../../hooks/conditions.ts';
import { MUTATING_BINDINGS } from '../../hooks/facts.ts';
import { HookCache } from '../../hooks/load.ts';
import type { AnyPolicy } from '../invocations.ts';

export type PatchType = 'ApplyConfiguration' | 'JSONPatch';

export interface CompiledMutation extends Condition {
  patchType: PatchType;
}

export interface CompiledMutatingPolicy extends AnyPolicy {
  /** `failurePolicy` is Fail. */
  fails: boolean;
  /** `reinvocationPolicy` is IfNeeded. */
  mayAgain: boolean;
  compiler: PolicyCompiler;
  conditions: readonly Condition[];
  mutations: readonly CompiledMutation[];
}

/** What a policy does. Its expressions have been found good when it was made; one that is not any more fails when it is reached. */
export function compileMutatingPolicy({ metadata, spec = {} }: MutatingAdmissionPolicy): CompiledMutatingPolicy {
  const { paramKind, matchConstraints = {}, variables = [], mutations = [] } = spec;
  const compiler = new PolicyCompiler(paramKind !== undefined);
  const conditions = compileConditions(spec.matchConditions, compiler);
  for (const { name = '', expression = '' } of variables) compiler.variable(name, expression);
  return {
    name: metadata.name,
    match: matchConstraints,
    paramKind,
    fails: spec.failurePolicy !== 'Ignore',
    mayAgain: spec.reinvocationPolicy === 'IfNeeded',
    compiler,
    conditions,
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
