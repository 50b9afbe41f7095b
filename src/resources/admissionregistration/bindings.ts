import { duplicate, type FieldError, invalid, notSupported, required } from '../../apimachinery/field.ts';
import type {
  MutatingAdmissionPolicyBinding,
  ValidatingAdmissionPolicyBinding,
} from '../../generated/types/admissionregistration.v1.ts';
import type { Strategy } from '../resource.ts';
import { dns1123Subdomain } from '../validation/formats.ts';
import { required as requiredRule } from '../validation/rules.ts';
import { changingErrors, defaultMatch, matchErrors, paramRefErrors } from './match-resources.ts';

type Binding = MutatingAdmissionPolicyBinding | ValidatingAdmissionPolicyBinding;
const ACTIONS = ['Audit', 'Deny', 'Warn'];
const policyName = requiredRule<string>(dns1123Subdomain);

function setDefaults(binding: Binding): void {
  binding.spec ??= {};
  defaultMatch(binding.spec.matchResources);
}

function commonErrors({ spec = {} }: Binding): FieldError[] {
  const errors: FieldError[] = [];
  policyName(spec.policyName, 'spec.policyName', errors);
  if (spec.paramRef !== undefined) paramRefErrors(spec.paramRef, errors);
  if (spec.matchResources !== undefined) matchErrors(spec.matchResources, 'spec.matchResources', errors);
  return errors;
}

function actionErrors(actions: readonly string[], errors: FieldError[]): void {
  const at = 'spec.validationActions';
  if (actions.length === 0) errors.push(required(at, 'at least one validation action is required'));
  actions.forEach((action, index) => {
    if (!ACTIONS.includes(action)) errors.push(notSupported(`${at}[${index}]`, action, ACTIONS));
    if (actions.indexOf(action) < index) errors.push(duplicate(`${at}[${index}]`, action));
  });
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const why = 'repeating the same validation failure information in the API response and headers serves no purpose';
    errors.push(invalid(at, actions, `must not contain both Deny and Warn (${why})`));
  }
}

/** How ValidatingAdmissionPolicyBindings are made. */
export const validatingBinding: Strategy<ValidatingAdmissionPolicyBinding> = {
  metadataChecks: [1, 0],
  plainFinalizers: true,
  default: setDefaults,
  validate(binding) {
    const errors = commonErrors(binding);
    actionErrors(binding.spec?.validationActions ?? [], errors);
    return errors;
  },
};

/** How MutatingAdmissionPolicyBindings are made. */
export const mutatingBinding: Strategy<MutatingAdmissionPolicyBinding> = {
  metadataChecks: [1, 0],
  plainFinalizers: true,
  default: setDefaults,
  validate(binding) {
    const errors = commonErrors(binding);
    changingErrors(binding.spec?.matchResources, 'spec.matchResources', errors);
    return errors;
  },
};
