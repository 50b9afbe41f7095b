import { type FieldError, forbiddenField, required, tooLong } from '../../apimachinery/field.ts';
import { byteLength } from '../../apimachinery/names.ts';
import type { IngressClass, IngressClassParametersReference } from '../../generated/types/networking.v1.ts';
import type { Strategy } from '../resource.ts';
import { dns1123Label, domainPrefixedPath } from '../validation/formats.ts';
import { immutable, unsupported } from '../validation/rules.ts';
import { typedReference } from './references.ts';

const LONGEST_CONTROLLER = 250;

function controllerErrors(controller: string, errors: FieldError[]): void {
  const at = 'spec.controller';
  if (byteLength(controller) > LONGEST_CONTROLLER) errors.push(tooLong(at, LONGEST_CONTROLLER));
  domainPrefixedPath(controller, at, errors);
}

function parametersErrors(parameters: IngressClassParametersReference, errors: FieldError[]): void {
  const at = 'spec.parameters';
  typedReference(parameters, at, errors);
  const { scope, namespace } = parameters;
  if (scope === undefined) {
    errors.push(required(`${at}.scope`));
  } else if (scope === 'Namespace') {
    if (namespace === undefined) {
      errors.push(required(`${at}.namespace`, "`parameters.scope` is set to 'Namespace'"));
    } else dns1123Label(namespace, `${at}.namespace`, errors);
  } else if (scope === 'Cluster') {
    if (namespace !== undefined) {
      errors.push(forbiddenField(`${at}.namespace`, "`parameters.scope` is set to 'Cluster'"));
    }
  } else {
    errors.push(unsupported(`${at}.scope`, scope, ['Cluster', 'Namespace']));
  }
}

function validate({ spec = {} }: IngressClass): FieldError[] {
  const errors: FieldError[] = [];
  controllerErrors(spec.controller ?? '', errors);
  if (spec.parameters !== undefined) parametersErrors(spec.parameters, errors);
  return errors;
}

/** How IngressClasses are made: which controller takes a class is settled once. */
export const ingressClass: Strategy<IngressClass> = {
  default({ spec }) {
    if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
  },
  validate,
  validateUpdate(value, old) {
    const errors = validate(value);
    immutable(value.spec?.controller ?? '', old.spec?.controller ?? '', 'spec.controller', errors);
    return errors;
  },
};
