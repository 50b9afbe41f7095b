import { deepEqual } from '../../apimachinery/equal.ts';
import { duplicate, type FieldError, forbiddenField, invalid, required, tooLong } from '../../apimachinery/field.ts';
import { byteLength } from '../../apimachinery/names.ts';
import type { StorageClass, VolumeAttributesClass } from '../../generated/types/storage.v1.ts';
import type { Strategy } from '../resource.ts';
import { qualifiedName } from '../validation/formats.ts';
import { immutable, oneOf } from '../validation/rules.ts';

const MOST_PARAMETERS = 512;
const LARGEST_PARAMETERS = 256 * 1024;

type Parameters = Record<string, string> | undefined;
type TopologyTerm = NonNullable<StorageClass['allowedTopologies']>[number];

/** Who provisions is a qualified name in any case; the message shows it in lower case. */
function driverErrors(name: string | undefined, path: string, errors: FieldError[]): void {
  if (!name) errors.push(required(path));
  else qualifiedName(name.toLowerCase(), path, errors);
}

function parameterErrors(parameters: Parameters, atLeastOne: boolean, errors: FieldError[]): void {
  const at = 'parameters';
  const entries = Object.entries(parameters ?? {});
  if (entries.length > MOST_PARAMETERS) errors.push(tooLong(at, MOST_PARAMETERS));
  let size = 0;
  for (const [key, value] of entries) {
    if (key === '') errors.push(invalid(at, key, 'field can not be empty.'));
    size += byteLength(key) + byteLength(value);
  }
  if (size > LARGEST_PARAMETERS) errors.push(tooLong(at, LARGEST_PARAMETERS));
  if (atLeastOne && entries.length === 0) errors.push(required(at, 'must contain at least one key/value pair'));
}

/** Errors of one term (`ValidateTopologySelectorTerm`); returns which values it allows for each key. */
function termErrors(term: TopologyTerm, path: string, errors: FieldError[]): Record<string, string[]> {
  const allowed: Record<string, string[]> = {};
  term.matchLabelExpressions?.forEach(({ key = '', values = [] }, index) => {
    const at = `${path}.matchLabelExpressions[${index}]`;
    if (values.length === 0) errors.push(required(`${at}.values`));
    values.forEach((value, n) => {
      if (values.indexOf(value) < n) errors.push(duplicate(`${at}.values[${n}]`, value));
    });
    qualifiedName(key, `${at}.key`, errors);
    if (Object.hasOwn(allowed, key)) errors.push(duplicate(`${at}.key`, key));
    allowed[key] = [...new Set(values)].sort();
  });
  return allowed;
}

function topologyErrors(terms: readonly TopologyTerm[] = [], errors: FieldError[]): void {
  // Upstream compares with as many empty terms as there are terms, so that a term without expressions is never alone.
  const before: Record<string, string[]>[] = terms.map(() => ({}));
  terms.forEach((term, index) => {
    const at = `allowedTopologies[${index}]`;
    const allowed = termErrors(term, at, errors);
    for (const other of before) {
      if (deepEqual(allowed, other)) errors.push(duplicate(`${at}.matchLabelExpressions`, ''));
    }
    before.push(allowed);
  });
}

const reclaimPolicies = oneOf('Delete', 'Retain');
const bindingModes = oneOf('Immediate', 'WaitForFirstConsumer');

function validate(storageClass: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  driverErrors(storageClass.provisioner, 'provisioner', errors);
  parameterErrors(storageClass.parameters, false, errors);
  if (storageClass.reclaimPolicy) reclaimPolicies(storageClass.reclaimPolicy, 'reclaimPolicy', errors);
  bindingModes(storageClass.volumeBindingMode, 'volumeBindingMode', errors);
  topologyErrors(storageClass.allowedTopologies, errors);
  return errors;
}

const CHANGED = (field: string): FieldError => forbiddenField(field, `updates to ${field} are forbidden.`);
const sameParameters = (a: Parameters = {}, b: Parameters = {}): boolean => deepEqual(a, b);

/** How StorageClasses are made: how they provision is settled once. */
export const storageClass: Strategy<StorageClass> = {
  default(value) {
    value.reclaimPolicy ??= 'Delete';
    value.volumeBindingMode ??= 'Immediate';
  },
  validate,
  validateUpdate(value, old) {
    const errors = validate(value);
    if (!sameParameters(value.parameters, old.parameters)) {
      errors.push(invalid('parameters', value.parameters, 'field is immutable'));
    }
    for (const field of ['provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const) {
      immutable(value[field] ?? '', old[field] ?? '', field, errors);
    }
    return errors;
  },
};

function attributesErrors(attributes: VolumeAttributesClass): FieldError[] {
  const errors: FieldError[] = [];
  driverErrors(attributes.driverName, 'driverName', errors);
  parameterErrors(attributes.parameters, true, errors);
  return errors;
}

/** How VolumeAttributesClasses are made: nothing in them changes. */
export const volumeAttributesClass: Strategy<VolumeAttributesClass> = {
  validate: attributesErrors,
  validateUpdate(value, old) {
    const errors: FieldError[] = [];
    if ((value.driverName ?? '') !== (old.driverName ?? '')) errors.push(CHANGED('driverName'));
    if (!sameParameters(value.parameters, old.parameters)) errors.push(CHANGED('parameters'));
    return [...errors, ...attributesErrors(value)];
  },
};
