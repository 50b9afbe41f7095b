import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import { isDns1035Label, isDns1123Subdomain, isInRange } from '../../apimachinery/names.ts';
import { pathSegmentName } from '../../apimachinery/validation/object-names.ts';
import type { APIService, APIServiceSpec } from '../../generated/types/apiregistration.v1.ts';
import type { Strategy } from '../resource.ts';
import { statusIsSeparate } from '../strategies.ts';

const HIGHEST_GROUP_PRIORITY = 20000;
const HIGHEST_VERSION_PRIORITY = 1000;

/** The name says what is served: `v1.agg.example.com`; the core group leaves a dot at the end. */
function nameErrors(name: string, { group = '', version = '' }: APIServiceSpec): FieldError[] {
  const right = `${version}.${group}`;
  // Whatever is wrong with the name itself is said by the check of all names.
  return name === right || name === '' || pathSegmentName(name, false).length > 0
    ? []
    : [invalid('metadata.name', name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(right)}`)];
}

function groupErrors({ group = '', version = '' }: APIServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (group === '' && version !== 'v1') {
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  }
  if (group !== '') {
    for (const problem of isDns1123Subdomain(group)) errors.push(invalid('spec.group', group, problem));
  }
  for (const problem of isDns1035Label(version)) errors.push(invalid('spec.version', version, problem));
  return errors;
}

function priorityErrors(field: string, value: number, highest: number): FieldError[] {
  const detail = `must be positive and less than ${highest}`;
  return value <= 0 || value > highest ? [invalid(field, value, detail)] : [];
}

function serviceErrors(spec: APIServiceSpec): FieldError[] {
  const { service } = spec;
  const errors: FieldError[] = [];
  if (service === undefined) {
    // What this server serves itself needs no word on how to trust it.
    if (spec.caBundle) errors.push(invalid('spec.caBundle', '<omitted>', 'local APIServices may not have a caBundle'));
    if (spec.insecureSkipTLSVerify === true) {
      const detail = 'local APIServices may not have insecureSkipTLSVerify';
      errors.push(invalid('spec.insecureSkipTLSVerify', true, detail));
    }
    return errors;
  }
  if (!service.namespace) errors.push(required('spec.service.namespace'));
  if (!service.name) errors.push(required('spec.service.name'));
  for (const problem of isInRange(service.port ?? 0, 1, 65535)) {
    errors.push(invalid('spec.service.port', service.port ?? 0, `port is not valid: ${problem}`));
  }
  if (spec.insecureSkipTLSVerify === true && spec.caBundle) {
    const detail = 'may not be true if caBundle is present';
    errors.push(invalid('spec.insecureSkipTLSVerify', true, detail));
  }
  return errors;
}

function validate({ metadata, spec = {} }: APIService): FieldError[] {
  return [
    ...nameErrors(metadata.name ?? '', spec),
    ...groupErrors(spec),
    ...priorityErrors('spec.groupPriorityMinimum', spec.groupPriorityMinimum ?? 0, HIGHEST_GROUP_PRIORITY),
    ...priorityErrors('spec.versionPriority', spec.versionPriority ?? 0, HIGHEST_VERSION_PRIORITY),
    ...serviceErrors(spec),
  ];
}

/** How APIServices are made. */
export const apiService: Strategy<APIService> = {
  plainFinalizers: true,
  unconditionalUpdate: false,
  ...statusIsSeparate<APIService>({}),
  generation: false,
  nameErrors: pathSegmentName,
  default({ spec }) {
    if (spec?.service !== undefined) spec.service.port ??= 443;
  },
  validate,
};
