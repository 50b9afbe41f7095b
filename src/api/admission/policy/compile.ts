/** ValidatingAdmissionPolicies made into what they do. */
import type { Compiled } from '../../../apimachinery/cel/program.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../../generated/types/admissionregistration.v1.ts';
import type { Condition } from '../hooks/conditions.ts';
import { HookCache } from '../hooks/load.ts';
import { type AnyPolicy, compileAny } from './any-policy.ts';

export interface CompiledValidation extends Condition {
  message: string;
  messageExpression: Compiled | undefined;
  reason: string;
}

export interface CompiledPolicy extends AnyPolicy {
  validations: readonly CompiledValidation[];
  auditAnnotations: readonly (Condition & { key: string })[];
}

/** What a policy does. Its expressions have been found good when it was made; one that is not any more fails when it is reached. */
export function compilePolicy(policy: ValidatingAdmissionPolicy): CompiledPolicy {
  const { validations = [], auditAnnotations = [] } = policy.spec ?? {};
  const any = compileAny(policy);
  const { compiler } = any;
  return {
    ...any,
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
