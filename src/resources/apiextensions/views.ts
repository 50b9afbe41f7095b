/** What one version of a definition says of its objects, or all of them alike. */
import { type FieldError, forbiddenField, invalid } from '../../apimachinery/field.ts';
import type { JSONSchemaProps } from '../../generated/types/apiextensions.v1.ts';
import { columnErrors, scaleErrors, selectableErrors } from './columns.ts';
import { defaultErrors } from './default-values.ts';
import { ruleErrors } from './rules.ts';
import { schemaErrors } from './schema.ts';
import { schema as shownSchema } from './shown-schema.ts';
import { structuralErrors, unsupportedField } from './structural.ts';
import type { VersionView } from './versions.ts';

/** Errors of a version's view. */
export function viewErrors(view: VersionView, errors: FieldError[]): void {
  if (view.schema !== undefined) {
    errors.push(...wholeSchemaErrors(view.schema, view.hasStatus, `${view.schemaPath}.openAPIV3Schema`));
  }
  if (view.subresources?.scale !== undefined) {
    scaleErrors(view.subresources.scale, `${view.subresourcesPath}.scale`, errors);
  }
  columnErrors(view.columns ?? [], view.columnsPath, errors);
  selectableErrors(view.selectableFields ?? [], view.selectableIn, view.selectablePath, errors);
}

/** Errors of a schema (`validateCustomResourceDefinitionValidation`). */
function wholeSchemaErrors(schema: JSONSchemaProps, hasStatus: boolean, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const root = hasStatus ? rootError(schema, path) : undefined;
  if (root !== undefined) errors.push(root);
  if (schema.nullable === true) errors.push(forbiddenField(`${path}.nullable`, 'nullable cannot be true at the root'));
  const unsupported = unsupportedField(schema);
  const before = errors.length;
  if (unsupported === undefined) {
    errors.push(...structuralErrors(schema, path));
    if (errors.length === before) errors.push(...defaultErrors(schema, path));
  }
  const isSound = unsupported === undefined && errors.length === before;
  const found = schemaErrors(schema, path);
  errors.push(...found.errors);
  // Rules are written for schemas that make sense: of any other they would only say so again.
  if (isSound) ruleErrors(schema, found.wrong, path, errors);
  if (errors.length === 0 && unsupported !== undefined) errors.push(invalid(path, '', unsupported));
  return errors;
}

const AT_ROOT = [
  'Description',
  'Type',
  'Format',
  'Title',
  'Maximum',
  'ExclusiveMaximum',
  'Minimum',
  'ExclusiveMinimum',
  'MaxLength',
  'MinLength',
  'Pattern',
  'MaxItems',
  'MinItems',
  'UniqueItems',
  'MultipleOf',
  'Required',
  'Items',
  'Properties',
  'ExternalDocs',
  'Example',
  'XPreserveUnknownFields',
  'XValidations',
];

/** The status is checked by its own part of the schema: the root can say no more than what is lost then. */
function rootError(schema: JSONSchemaProps, path: string): FieldError | undefined {
  const shown = shownSchema(schema) as Record<string, unknown>;
  for (const [field, value] of Object.entries(shown)) {
    if (value === null || value === '' || value === false) continue;
    if (field === 'Type' && value !== 'object') {
      const detail =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      return invalid(`${path}.type`, value, detail);
    }
    if (AT_ROOT.includes(field)) continue;
    const which = `only [${AT_ROOT.join(' ')}] fields are allowed at the root of the schema`;
    return invalid(path, shown, `${which} if the status subresource is enabled`);
  }
  return undefined;
}
