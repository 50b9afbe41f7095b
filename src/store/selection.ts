/** Which rows a list or a watch selects, judged by the small columns alone. */
import { matchesFields, parseFieldSelector } from '../apimachinery/fields.ts';
import { matches, parseSelector } from '../apimachinery/labels.ts';
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
