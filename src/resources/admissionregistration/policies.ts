import { duplicate, type FieldError, invalid, notSupported, required } from '../../apimachinery/field.ts';
import { byteLength } from '../../apimachinery/names.ts';
import type {
  AuditAnnotation,
  ExpressionWarning,
  MutatingAdmissionPolicy,
  Mutation,
  ValidatingAdmissionPolicy,
  Validation,
  Variable,
} from '../../generated/types/admissionregistration.v1.ts';
import type { Strategy, SubresourceStrategy } from '../resource.ts';
import { keepAllButStatus, STATUS_KEEPS, statusIsSeparate } from '../strategies.ts';
import { conditions } from '../validation/conditions.ts';
import { qualifiedName } from '../validation/formats.ts';
import { listOf, struct, text } from '../validation/go-struct.ts';
import { each, type Rule } from '../validation/rules.ts';
import { conditionErrors, failurePolicy } from './conditions.ts';
import { mutatingExpressionErrors, validatingExpressionErrors } from './expressions.ts';
import { changingErrors, constraintErrors, defaultMatch, paramKindErrors } from './match-resources.ts';

const MOST_AUDIT_ANNOTATIONS = 20;
const LONGEST_VALUE_EXPRESSION = 5 * 1024;
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const PATCH_TYPES = ['ApplyConfiguration', 'JSONPatch'];
const REINVOCATION = ['IfNeeded', 'Never'];
const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const RESERVED =
  /^(true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void|while)$/;
const shownAnnotations = listOf(struct({ Key: text, ValueExpression: text }));
const isBlank = (text: string): boolean => text.trim() === '';
const hasNewlines = (text: string): boolean => /[\r\n]/.test(text);

type Policy = ValidatingAdmissionPolicy | MutatingAdmissionPolicy;

function setDefaults(policy: Policy): void {
  policy.spec ??= {};
  policy.spec.failurePolicy ??= 'Fail';
  defaultMatch(policy.spec.matchConstraints);
}

function variableErrors(variables: readonly Variable[] = [], errors: FieldError[]): void {
  variables.forEach(({ name = '', expression = '' }, index) => {
    const at = `spec.variables[${index}]`;
    if (isBlank(name)) errors.push(required(`${at}.name`, 'name is not specified'));
    else if (!IDENTIFIER.test(name) || RESERVED.test(name)) {
      errors.push(invalid(`${at}.name`, name, 'must be a valid CEL identifier'));
    }
    if (isBlank(expression)) errors.push(required(`${at}.expression`, 'expression is not specified'));
  });
}

function commonErrors({ spec = {} }: Policy): FieldError[] {
  const errors: FieldError[] = [];
  failurePolicy(spec.failurePolicy, 'spec.failurePolicy', errors);
  if (spec.paramKind !== undefined) paramKindErrors(spec.paramKind, errors);
  constraintErrors(spec.matchConstraints, errors);
  conditionErrors(spec.matchConditions, 'spec.matchConditions', errors);
  variableErrors(spec.variables, errors);
  return errors;
}

function validationErrors(validation: Validation, at: string, errors: FieldError[]): void {
  const { expression = '', message = '', messageExpression = '', reason } = validation;
  if (isBlank(expression)) errors.push(required(`${at}.expression`, 'expression is not specified'));
  if (messageExpression !== '' && isBlank(messageExpression)) {
    errors.push(invalid(`${at}.messageExpression`, messageExpression, 'must be non-empty if specified'));
  }
  if (message !== '' && isBlank(message)) {
    errors.push(invalid(`${at}.message`, message, 'must be non-empty if specified'));
  } else if (hasNewlines(message.trim())) {
    errors.push(invalid(`${at}.message`, message, 'must not contain line breaks'));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(notSupported(`${at}.reason`, reason, REASONS));
  }
}

function annotationErrors(list: readonly AuditAnnotation[] = [], policy: string, errors: FieldError[]): void {
  const at = 'spec.auditAnnotations';
  if (list.length > MOST_AUDIT_ANNOTATIONS) {
    errors.push(
      invalid(at, shownAnnotations(list), `must not have more than ${MOST_AUDIT_ANNOTATIONS} auditAnnotations`),
    );
  }
  const keys = new Set<string>();
  list.forEach(({ key = '', valueExpression = '' }, index) => {
    const path = `${at}[${index}]`;
    if (policy === '') errors.push(invalid(`${path}.key`, key, 'requires metadata.name be non-empty'));
    else qualifiedName(`${policy}/${key}`, `${path}.key`, errors);
    if (isBlank(valueExpression)) {
      errors.push(required(`${path}.valueExpression`, 'valueExpression is not specified'));
    } else if (byteLength(valueExpression.trim()) > LONGEST_VALUE_EXPRESSION) {
      errors.push(required(`${path}.valueExpression`, `must not exceed ${LONGEST_VALUE_EXPRESSION} bytes in length`));
    }
    if (keys.has(key)) errors.push(duplicate(`${path}.key`, key));
    keys.add(key);
  });
}

function validateValidating(policy: ValidatingAdmissionPolicy): FieldError[] {
  const errors = commonErrors(policy);
  const { validations = [], auditAnnotations = [] } = policy.spec ?? {};
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const detail = 'validations or auditAnnotations must contain at least one item';
    errors.push(required('spec.validations', detail), required('spec.auditAnnotations', detail));
  }
  validations.forEach((validation, index) => {
    validationErrors(validation, `spec.validations[${index}]`, errors);
  });
  annotationErrors(auditAnnotations, policy.metadata.name ?? '', errors);
  validatingExpressionErrors(policy.spec ?? {}, errors);
  return errors;
}

const warningErrors: Rule<ExpressionWarning> = ({ warning = '', fieldRef = '' }, at, errors) => {
  if (warning === '') errors.push(required(`${at}.warning`));
  if (fieldRef.trim() === '') errors.push(required(`${at}.fieldRef`));
};

function statusErrors({ status = {} }: ValidatingAdmissionPolicy): FieldError[] {
  const errors: FieldError[] = [];
  each(warningErrors)(status.typeChecking?.expressionWarnings, 'status.typeChecking.expressionWarnings', errors);
  conditions(status.conditions, 'status.conditions', errors);
  return errors;
}

/** How ValidatingAdmissionPolicies are made. */
export const validatingPolicy: Strategy<ValidatingAdmissionPolicy> = {
  metadataChecks: [1, 0],
  plainFinalizers: true,
  ...statusIsSeparate<ValidatingAdmissionPolicy>({}),
  default: setDefaults,
  validate: validateValidating,
};

/** How their status is changed. */
export const validatingPolicyStatus: SubresourceStrategy<ValidatingAdmissionPolicy> = {
  ...keepAllButStatus<ValidatingAdmissionPolicy>(...STATUS_KEEPS),
  validateUpdate: statusErrors,
};

function mutationErrors(mutation: Mutation, at: string, errors: FieldError[]): void {
  const { patchType = '', applyConfiguration, jsonPatch } = mutation;
  if (patchType === '') errors.push(required(`${at}.patchType`));
  else if (!PATCH_TYPES.includes(patchType)) errors.push(notSupported(`${at}.patchType`, patchType, PATCH_TYPES));
  const [field, patch] =
    patchType === 'JSONPatch' ? ['jsonPatch', jsonPatch] : ['applyConfiguration', applyConfiguration];
  if (!PATCH_TYPES.includes(patchType)) return;
  if (patch === undefined) errors.push(required(`${at}.${field}`, `must be specified when patchType is ${patchType}`));
  else if (isBlank(patch.expression ?? '')) errors.push(required(`${at}.${field}.expression`));
  const [other, otherPatch] =
    patchType === 'JSONPatch' ? ['applyConfiguration', applyConfiguration] : ['jsonPatch', jsonPatch];
  if (otherPatch !== undefined) {
    errors.push(invalid(`${at}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`));
  }
}

function validateMutating(policy: MutatingAdmissionPolicy): FieldError[] {
  const errors = commonErrors(policy);
  const { mutations = [], reinvocationPolicy = '', matchConstraints } = policy.spec ?? {};
  changingErrors(matchConstraints, 'spec.matchConstraints', errors);
  if (mutations.length === 0) errors.push(required('spec.mutations', 'mutations must contain at least one item'));
  mutations.forEach((mutation, index) => {
    mutationErrors(mutation, `spec.mutations[${index}]`, errors);
  });
  if (reinvocationPolicy === '') errors.push(required('spec.reinvocationPolicy'));
  else if (!REINVOCATION.includes(reinvocationPolicy)) {
    errors.push(notSupported('spec.reinvocationPolicy', reinvocationPolicy, REINVOCATION));
  }
  mutatingExpressionErrors(policy.spec ?? {}, errors);
  return errors;
}

/** How MutatingAdmissionPolicies are made. */
export const mutatingPolicy: Strategy<MutatingAdmissionPolicy> = {
  metadataChecks: [1, 0],
  plainFinalizers: true,
  default: setDefaults,
  validate: validateMutating,
};
