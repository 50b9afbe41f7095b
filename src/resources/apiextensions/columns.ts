/** Where a definition points into its objects: printed columns, selectable fields and the scale. */
import { duplicate, type FieldError, invalid, required, tooMany } from '../../apimachinery/field.ts';
import type {
  CustomResourceColumnDefinition,
  CustomResourceSubresourceScale,
  JSONSchemaProps,
  SelectableField,
} from '../../generated/types/apiextensions.v1.ts';

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

/** The names of a path, `.spec.color` or `.spec['color']`; throws upstream's text. */
function readPath(path: string): string[] {
  const names: string[] = [];
  let rest = path;
  while (rest !== '') {
    const match = /^\.([^.[\]]+)/.exec(rest) ?? /^\['([^']+)'\]/.exec(rest);
    if (match === null) throw new Error(`expected [ or . but got: ${rest}`);
    names.push(match[1] as string);
    rest = rest.slice(match[0].length);
  }
  return names;
}

function pathProblem(path: string, schema: JSONSchemaProps | undefined): string | undefined {
  let at: JSONSchemaProps | undefined = schema;
  try {
    for (const name of readPath(path)) {
      const properties: Record<string, JSONSchemaProps> = at?.properties ?? {};
      at = Object.hasOwn(properties, name) ? properties[name] : undefined;
    }
  } catch (error) {
    return `is an invalid path: ${(error as Error).message}`;
  }
  if (at === undefined) return 'is an invalid path: does not refer to a valid field';
  return SELECTABLE_TYPES.includes(at.type ?? '')
    ? undefined
    : 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
}

/** Errors of the fields that objects can be selected by. */
export function selectableErrors(
  fields: readonly SelectableField[],
  schema: JSONSchemaProps | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (fields.length > MOST_SELECTABLE) errors.push(tooMany(path, fields.length, MOST_SELECTABLE));
  fields.forEach(({ jsonPath = '' }, index) => {
    const at = `${path}[${index}].jsonPath`;
    if (jsonPath === '') {
      errors.push(required(at));
      return;
    }
    const problem = pathProblem(jsonPath, schema);
    if (problem !== undefined) errors.push(invalid(at, jsonPath, problem));
    if (fields.findIndex((field) => field.jsonPath === jsonPath) < index) errors.push(duplicate(at, jsonPath));
  });
}
