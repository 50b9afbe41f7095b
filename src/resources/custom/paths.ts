/** What a definition points at in its objects: printed columns and fields to select by. */
import { humanDuration } from '../../apimachinery/duration.ts';
import { findAll, type JsonPath, parseJsonPath } from '../../apimachinery/json-path.ts';
import type { Json, KubeObject } from '../../apimachinery/meta.ts';
import type { CustomResourceColumnDefinition, SelectableField } from '../../generated/types/apiextensions.v1.ts';
import { age, name } from '../columns/shared.ts';
import type { Column, Resource } from '../resource.ts';

/** Name and the columns of the definition; without any, name and age (`tableconvertor`). */
export function columnsOf(definitions: readonly CustomResourceColumnDefinition[]): Column<KubeObject>[] {
  return definitions.length === 0 ? [name, { ...age, type: 'date' }] : [name, ...definitions.map(columnOf)];
}

function columnOf(definition: CustomResourceColumnDefinition): Column<KubeObject> {
  const { name = '', type = 'string', format, priority, description, jsonPath = '' } = definition;
  const path = pathOf(jsonPath);
  return {
    name,
    type: type as Column<KubeObject>['type'],
    ...(format ? { format } : {}),
    ...(priority === undefined ? {} : { priority: priority === 0 ? 0 : 1 }),
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    cell(object, now) {
      const found = path === undefined ? [] : findAll(object as unknown as Json, path);
      return found.length === 0 ? null : cellOf(type, found[0] as Json, now);
    },
  };
}

function pathOf(text: string): JsonPath | undefined {
  try {
    return parseJsonPath(text);
  } catch {
    return undefined;
  }
}

/** A value of the column's type, or nothing. */
function cellOf(type: string, value: Json, now: number): string | number | boolean | null {
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? sinceText(value, now) : null;
    default:
      return value === null ? null : typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
}

function sinceText(time: string, now: number): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? '<invalid>' : humanDuration(now - at);
}

/** How objects are selected by fields beyond their name. */
export function selectableOf(fields: readonly SelectableField[]): Pick<Resource, 'selectableFields'> {
  if (fields.length === 0) return {};
  const paths = fields.map(({ jsonPath = '' }) => ({ label: jsonPath.replace(/^\./, ''), path: pathOf(jsonPath) }));
  return {
    selectableFields: (object) =>
      Object.fromEntries(
        paths.map(({ label, path }) => {
          const [value = ''] = path === undefined ? [] : findAll(object as unknown as Json, path);
          return [label, String(value ?? '')];
        }),
      ),
  };
}
