/** Where a definition points into its objects: printed columns, selectable fields and the scale. */
import { duplicate, type FieldError, invalid, required, tooMany } from '../../apimachinery/field.ts';
import type { StructuralSchema } from '../../apimachinery/structural/schema.ts';
import type {
  CustomResourceColumnDefinition,
  CustomResourceSubresourceScale,
  JSONSchemaProps,
  SelectableField,
} from '../../generated/types/apiextensions.v1.ts';
import { fieldPathOf } from '../custom/field-path.ts';

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const MOST_SELECTABLE = 8;
const SELECTABLE_TYPES = ['string', 'boolean', 'integer'];

const isSimple = (path: string): boolean => path.startsWith('.');
const NOT_SIMPLE = 'must be a simple json path starting with .';

/** Errors of printed columns. */
export function columnErrors(columns: readonly CustomResourceColumnDefinition[], path: string, errors: FieldError[]) {
  columns.forEach(({ name = '', type = '', format = '', jsonPath = '' }, index) => {
    const at = `${path}[${index}]`;
    const types = `must be one of ${COLUMN_TYPES.join(',')}`;
    if (name === '') errors.push(required(`${at}.name`));
    if (type === '') errors.push(required(`${at}.type`, types));
    else if (!COLUMN_TYPES.includes(type)) errors.push(invalid(`${at}.type`, type, types));
    if (format !== '' && !FORMATS.includes(format)) {
      errors.push(invalid(`${at}.format`, format, `must be one of ${FORMATS.join(',')}`));
    }
    if (jsonPath === '') errors.push(required(`${at}.JSONPath`));
    else if (!isSimple(jsonPath)) errors.push(invalid(`${at}.JSONPath`, jsonPath, NOT_SIMPLE));
  });
}

function scalePathErrors(value: string, path: string, roots: readonly string[], where: string, errors: FieldError[]) {
  if (!isSimple(value)) errors.push(invalid(path, value, NOT_SIMPLE));
  else if (!roots.some((root) => value.startsWith(`.${root}.`))) {
    errors.push(invalid(path, value, `should be a json path under ${where}`));
  }
}

/** Errors of where the scale's numbers are. */
export function scaleErrors(scale: CustomResourceSubresourceScale, at: string, errors: FieldError[]): void {
  for (const root of ['spec', 'status'] as const) {
    const path = `${at}.${root}ReplicasPath`;
    const value = scale[`${root}ReplicasPath`] ?? '';
    if (value === '') errors.push(required(path));
    else scalePathErrors(value, path, [root], `.${root}`, errors);
  }
  if (scale.labelSelectorPath) {
    const either = 'either .spec or .status';
    scalePathErrors(scale.labelSelectorPath, `${at}.labelSelectorPath`, ['spec', 'status'], either, errors);
  }
}

/** Errors of the fields that objects can be selected by. */
export function selectableErrors(
  fields: readonly SelectableField[],
  where: JSONSchemaProps | string | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (fields.length === 0) return;
  if (typeof where === 'string') {
    errors.push(invalid(path, '', where));
    return;
  }
  const known = new Set<string>();
  fields.forEach(({ jsonPath = '' }, index) => {
    const at = `${path}[${index}].jsonPath`;
    if (jsonPath === '') {
      errors.push(required(at));
      return;
    }
    const bad = (detail: string): void => void errors.push(invalid(at, jsonPath, detail));
    const found = fieldPathOf(jsonPath, (where ?? {}) as StructuralSchema, false);
    if ('problem' in found) {
      bad(`is an invalid path: ${found.problem}`);
      return;
    }
    if (/^metadata(?![^.[])/.test(found.path)) bad('must not point to fields in metadata');
    if (!SELECTABLE_TYPES.includes(found.schema?.type ?? '')) {
      const plain = 'Enum string fields and strings with formats are allowed.';
      bad(`must point to a field of type string, boolean or integer. ${plain}`);
    }
    if (known.has(found.path)) errors.push(duplicate(at, jsonPath));
    known.add(found.path);
  });
  if (known.size > MOST_SELECTABLE) errors.push(tooMany(path, known.size, MOST_SELECTABLE));
}
