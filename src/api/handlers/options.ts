/** Query parameters of reads and writes, checked as upstream checks them. */
import { invalidObject } from '../../apimachinery/errors.ts';
import { notSupported } from '../../apimachinery/field.ts';
import { assertSupported, parseFieldSelector, renameFields } from '../../apimachinery/fields.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { formatApiVersion } from '../../apimachinery/meta.ts';
import { parseSelector } from '../../apimachinery/selector-parser.ts';
import type { RequestOptions } from '../../durable-objects/rpc.ts';
import type { Resource } from '../../resources/resource.ts';
import type { ListQuery } from '../../store/types.ts';
import { isTrue, type RequestInfo } from '../request-info.ts';
import { checkFieldManager, managerOf } from './field-manager.ts';
import { checkListOptions, integerOf } from './list-options.ts';

const VALIDATIONS = ['', 'Ignore', 'Strict', 'Warn'];

/** `dryRun`, `fieldManager`, `fieldValidation`, `force`. Throws Invalid for values that upstream refuses. */
export function requestOptions(url: URL, userAgent: string | null, kind: string): RequestOptions {
  const q = url.searchParams;
  const fieldValidation = q.get('fieldValidation') || 'Warn';
  if (!VALIDATIONS.includes(fieldValidation)) {
    throw invalidObject({ group: 'meta.k8s.io', kind }, '', [
      notSupported('fieldValidation', fieldValidation, VALIDATIONS),
    ]);
  }
  checkFieldManager(q, kind);
  return {
    dryRun: dryRun(q.getAll('dryRun'), kind),
    fieldManager: q.get('fieldManager') || managerOf(userAgent),
    fieldValidation: fieldValidation as RequestOptions['fieldValidation'],
    ...(q.has('force') ? { force: isTrue(q.get('force')) } : {}),
  };
}

/** `All`, or nothing. */
export function dryRun(values: readonly string[], kind: string): boolean {
  if (values.some((value) => value !== 'All' && value !== '')) {
    throw invalidObject({ group: 'meta.k8s.io', kind }, '', [notSupported('dryRun', values, ['All'])]);
  }
  return values.includes('All');
}

/** What a list or a watch selects. Throws BadRequest for selectors that do not parse or name unknown fields. */
export function listQuery(resource: Resource, info: RequestInfo, url: URL): ListQuery {
  const q = url.searchParams;
  const query: ListQuery = { prefix: resource.namespaced && info.namespace !== '' ? `${info.namespace}/` : '' };
  const labelSelector = q.get('labelSelector');
  if (labelSelector) {
    parseSelector(labelSelector);
    query.labelSelector = labelSelector;
  }
  const fieldSelector = q.get('fieldSelector');
  if (fieldSelector) {
    assertSupported(parseFieldSelector(fieldSelector), fieldNames(resource), resource.kind);
    query.fieldSelector = renameFields(fieldSelector, resource.storedFields ?? {});
  }
  checkListOptions(q, info.verb === 'watch');
  const limit = integerOf(q, 'limit');
  if (limit > 0) query.limit = limit;
  integerOf(q, 'timeoutSeconds');
  for (const name of ['continue', 'resourceVersion', 'resourceVersionMatch'] as const) {
    const value = q.get(name);
    if (value) query[name] = value;
  }
  return query;
}

const fieldNamesOf = new WeakMap<Resource, readonly string[]>();

/** Every field that the resource can be selected by. */
function fieldNames(resource: Resource): readonly string[] {
  let names = fieldNamesOf.get(resource);
  if (names === undefined) {
    const sample = {
      apiVersion: formatApiVersion(resource),
      kind: resource.kind,
      metadata: { name: '' },
    } as KubeObject;
    const own = Object.keys(resource.selectableFields?.(sample) ?? {});
    names = ['metadata.name', ...(resource.namespaced ? ['metadata.namespace'] : []), ...own];
    fieldNamesOf.set(resource, names);
  }
  return names;
}
