/** Which rows a list or a watch selects, judged by the small columns alone. */
import { matchesFields, parseFieldSelector } from '../apimachinery/fields.ts';
import { matches } from '../apimachinery/labels.ts';
import { parseSelector } from '../apimachinery/selector-parser.ts';
import type { LabelPair } from './backend.ts';
import type { Row } from './types.ts';

export interface SelectionQuery {
  prefix: string;
  labelSelector?: string;
  fieldSelector?: string;
  ownerUid?: string;
}

export type Selects = (row: Row) => boolean;

/** Whether a query selects by more than its prefix. */
export function isSelective({ labelSelector, fieldSelector, ownerUid }: SelectionQuery): boolean {
  return Boolean(labelSelector || fieldSelector || ownerUid);
}

/** A label that all selected rows have, if the query asks for one: a database finds it faster than {@link selection}. */
export function labelOf({ labelSelector }: SelectionQuery): LabelPair | undefined {
  for (const { key, operator, values } of labelSelector ? parseSelector(labelSelector) : []) {
    const value = values.length === 1 ? values[0] : undefined;
    if (value !== undefined && (operator === '=' || operator === '==' || operator === 'in')) return { key, value };
  }
  return undefined;
}

/** Compiles a query. Throws BadRequest for selectors that do not parse. */
export function selection({ prefix, labelSelector, fieldSelector, ownerUid }: SelectionQuery): Selects {
  const labels = labelSelector ? parseSelector(labelSelector) : undefined;
  const fields = fieldSelector ? parseFieldSelector(fieldSelector) : undefined;
  return (row) =>
    (prefix === '' || row.key.startsWith(prefix)) &&
    (ownerUid === undefined || row.owners?.includes(ownerUid) === true) &&
    (labels === undefined || matches(labels, row.labels)) &&
    (fields === undefined || matchesFields(fields, (name) => fieldOf(row, name)));
}

function fieldOf(row: Row, name: string): string | undefined {
  const slash = row.key.indexOf('/');
  if (name === 'metadata.name') return row.key.slice(slash + 1);
  if (name === 'metadata.namespace') return slash < 0 ? '' : row.key.slice(0, slash);
  return row.fields?.[name];
}
