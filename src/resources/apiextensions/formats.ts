/** Formats that a schema names and nobody checks. */
import { isKnownFormat } from '../../apimachinery/structural/formats.ts';
import type { CustomResourceDefinition, JSONSchemaProps } from '../../generated/types/apiextensions.v1.ts';
import { visitSchemas } from './structural.ts';

function isChecked({ type = '', format = '' }: JSONSchemaProps): boolean {
  if (type === '' || type === 'string') return isKnownFormat(format);
  if (type === 'integer') return format === 'int32' || format === 'int64';
  return type === 'number' && (format === 'float' || format === 'double');
}

function uncheckedFormats(definition: CustomResourceDefinition | undefined): string[] {
  const schemas = definition?.spec?.versions?.map(({ schema }) => schema?.openAPIV3Schema) ?? [];
  // What all versions have in common is looked at once.
  const different = new Map(
    schemas.flatMap((schema) => (schema === undefined ? [] : [[JSON.stringify(schema), schema]])),
  );
  const found: string[] = [];
  for (const schema of (different as Map<string, JSONSchemaProps>).values()) {
    visitSchemas(schema, (inner) => {
      if (inner.format && !isChecked(inner)) found.push(inner.format);
    });
  }
  return found;
}

/** What is said of formats that nobody checks; on an update of those that are new. */
export function formatWarnings(definition: CustomResourceDefinition, old?: CustomResourceDefinition): string[] {
  const before = new Set(uncheckedFormats(old));
  return uncheckedFormats(definition)
    .filter((format) => !before.has(format))
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
}
