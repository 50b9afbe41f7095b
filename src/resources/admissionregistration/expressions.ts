/** What the expressions of policies and webhooks say must compile, and be of the right type. */
import { PolicyCompiler } from '../../apimachinery/cel/policy.ts';
import type { Compiled } from '../../apimachinery/cel/program.ts';
import { type FieldError, internalError, invalid } from '../../apimachinery/field.ts';
import type {
  MatchCondition,
  MutatingAdmissionPolicySpec,
  ValidatingAdmissionPolicySpec,
  Variable,
} from '../../generated/types/admissionregistration.v1.ts';

const isBlank = (text = ''): boolean => text.trim() === '';

function check(compiled: Compiled, at: string, expression: string, errors: FieldError[]): void {
  if (!('problem' in compiled)) return;
  const { problem, internal } = compiled;
  errors.push(internal === true ? internalError(at, problem) : invalid(at, expression, problem));
}

/** Errors of conditions' expressions. */
export function conditionExpressionErrors(
  conditions: readonly MatchCondition[] = [],
  params: boolean,
  path: string,
  errors: FieldError[],
): void {
  const compiler = new PolicyCompiler(params);
  conditions.forEach(({ expression = '' }, index) => {
    if (isBlank(expression)) return;
    const trimmed = expression.trim();
    check(compiler.condition(trimmed), `${path}[${index}].expression`, trimmed, errors);
  });
}

/** Declares variables; their errors. */
function declareVariables(compiler: PolicyCompiler, variables: readonly Variable[] = [], errors: FieldError[]): void {
  if (variables.length > 0) compiler.withVariables();
  variables.forEach(({ name = '', expression = '' }, index) => {
    if (isBlank(expression)) return;
    check(compiler.variable(name, expression), `spec.variables[${index}].expression`, expression, errors);
  });
}

/** Errors of all that a ValidatingAdmissionPolicy says in CEL. */
export function validatingExpressionErrors(spec: ValidatingAdmissionPolicySpec, errors: FieldError[]): void {
  const { paramKind, matchConditions, variables, validations = [], auditAnnotations = [] } = spec;
  const params = paramKind !== undefined;
  conditionExpressionErrors(matchConditions, params, 'spec.matchConditions', errors);
  const compiler = new PolicyCompiler(params);
  declareVariables(compiler, variables, errors);
  validations.forEach(({ expression = '', messageExpression = '' }, index) => {
    const at = `spec.validations[${index}]`;
    if (!isBlank(expression)) {
      check(compiler.expression(expression, ['bool']), `${at}.expression`, expression, errors);
    }
    if (isBlank(messageExpression)) return;
    const message = compiler.expression(messageExpression, ['string'], false);
    check(message, `${at}.messageExpression`, messageExpression, errors);
  });
  auditAnnotations.forEach(({ valueExpression = '' }, index) => {
    if (isBlank(valueExpression)) return;
    const value = compiler.expression(valueExpression.trim(), ['string', 'null']);
    check(value, `spec.auditAnnotations[${index}].valueExpression`, valueExpression, errors);
  });
}

/** Errors of all that a MutatingAdmissionPolicy says in CEL. */
export function mutatingExpressionErrors(spec: MutatingAdmissionPolicySpec, errors: FieldError[]): void {
  const { paramKind, matchConditions, variables, mutations = [] } = spec;
  const params = paramKind !== undefined;
  conditionExpressionErrors(matchConditions, params, 'spec.matchConditions', errors);
  const compiler = new PolicyCompiler(params);
  declareVariables(compiler, variables, errors);
  mutations.forEach(({ patchType, applyConfiguration, jsonPatch }, index) => {
    if (patchType !== 'ApplyConfiguration' && patchType !== 'JSONPatch') return;
    const [field, patch] =
      patchType === 'JSONPatch' ? ['jsonPatch', jsonPatch] : ['applyConfiguration', applyConfiguration];
    const expression = patch?.expression?.trim() ?? '';
    if (expression === '') return;
    const at = `spec.mutations[${index}].${field}.expression`;
    check(compiler.mutation(expression, patchType), at, expression, errors);
  });
}
