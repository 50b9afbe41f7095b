/** ValidatingAdmissionPolicies made into what they do. */
import { PolicyCompiler } from '../../../apimachinery/cel/policy.ts';
import type { Compiled } from '../../../apimachinery/cel/program.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type {
  MatchResources,
  ParamKind,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../../generated/types/admissionregistration.v1.ts';
import { type Condition, compileConditions } from '../hooks/conditions.ts';
import { HookCache } from '../hooks/load.ts';

export interface CompiledValidation extends Condition {
  message: string;
  messageExpression: Compiled | undefined;
  reason: string;
}

export interface CompiledPolicy {
  name: string;
  match: MatchResources;
  paramKind: ParamKind | undefined;
  /** `failurePolicy` is Fail. */
  fails: boolean;
  compiler: PolicyCompiler;
  conditions: readonly Condition[];
  validations: readonly CompiledValidation[];
  auditAnnotations: readonly (Condition & { key: string })[];
}

/** What a policy does. Its expressions have been found good when it was made; one that is not any more fails when it is reached. */
export function compilePolicy({ metadata, spec = {} }: ValidatingAdmissionPolicy): CompiledPolicy {
  const { paramKind, matchConstraints = {}, variables = [], validations = [], auditAnnotations = [] } = spec;
  const compiler = new PolicyCompiler(paramKind !== undefined);
  const conditions = compileConditions(spec.matchConditions, compiler);
  for (const { name = '', expression = '' } of variables) compiler.variable(name, expression);
  return {
    name: metadata.name,
    match: matchConstraints,
    paramKind,
    fails: spec.failurePolicy !== 'Ignore',
    compiler,
    conditions,
    validations: validations.map(({ expression = '', message = '', messageExpression = '', reason }) => ({
      expression,
      compiled: compiler.expression(expression, ['bool']),
      message,
      messageExpression:
        messageExpression === '' ? undefined : compiler.expression(messageExpression, ['string'], false),
      reason: reason ?? 'Invalid',
    })),
    auditAnnotations: auditAnnotations.map(({ key = '', valueExpression = '' }) => ({
      key,
      expression: valueExpression,
      compiled: compiler.expression(valueExpression, ['string', 'null']),
    })),
  };
}

/** Policies and bindings, once for each version of them. */
export const policies = new HookCache<CompiledPolicy>((object: KubeObject) => compilePolicy(object));
export const bindings = new HookCache<ValidatingAdmissionPolicyBinding>((object: KubeObject) => object);
