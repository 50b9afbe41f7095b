/** Query parameters of reads and writes, checked as upstream checks them. */
import { invalidObject } from '../../apimachinery/errors.ts';
import { type FieldError, forbiddenField, notSupported, required } from '../../apimachinery/field.ts';
import { assertSupported, parseFieldSelector, renameFields } from '../../apimachinery/fields.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { formatApiVersion } from '../../apimachinery/meta.ts';
import { parseSelector } from '../../apimachinery/selector-parser.ts';
import type { RequestOptions } from '../../durable-objects/rpc.ts';
import type { Resource } from '../../resources/resource.ts';
import type { ListQuery } from '../../store/types.ts';
import { isTrue, type RequestInfo } from '../request-info.ts';
import { managerErrors, managerOf } from './field-manager.ts';
import { checkListOptions, integerOf } from './list-options.ts';

const VALIDATIONS = ['', 'Ignore', 'Strict', 'Warn'];

/** `dryRun`, `fieldManager`, `fieldValidation`, `force`. Throws Invalid with all that upstream refuses of them. */
export function requestOptions(url: URL, userAgent: string | null, kind: string): RequestOptions {
  return optionsOf(url.searchParams, userAgent, kind, []);
}

/** The options of a patch; `applies`: it is an apply, which says who applies. Throws Invalid as {@link requestOptions}. */
export function patchOptions(url: URL, userAgent: string | null, applies: boolean): RequestOptions {
  const q = url.searchParams;
  const errors: FieldError[] = [];
  if (applies && !q.get('fieldManager')) errors.push(required('fieldManager', 'is required for apply patch'));
  if (!applies && q.has('force')) errors.push(forbiddenField('force', 'may not be specified for non-apply patch'));
  return optionsOf(q, userAgent, 'PatchOptions', errors);
}

function optionsOf(q: URLSearchParams, userAgent: string | null, kind: string, errors: FieldError[]): RequestOptions {
  const manager = q.get('fieldManager') ?? '';
  const dryRun = q.getAll('dryRun');
  const fieldValidation = q.get('fieldValidation') || 'Warn';
  errors.push(...managerErrors(manager), ...dryRunErrors(dryRun));
  if (!VALIDATIONS.includes(fieldValidation)) {
    errors.push(notSupported('fieldValidation', fieldValidation, VALIDATIONS));
  }
  refuseOptions(errors, kind);
  return {
    dryRun: dryRun.length > 0,
    fieldManager: manager || managerOf(userAgent),
    fieldValidation: fieldValidation as RequestOptions['fieldValidation'],
    ...(q.has('force') ? { force: isTrue(q.get('force')) } : {}),
  };
}

/** What is wrong with the values of `dryRun`: `All` alone is known. */
export function dryRunErrors(values: readonly string[]): FieldError[] {
  return values.every((value) => value === 'All') ? [] : [notSupported('dryRun', values, ['All'])];
}

/** Throws Invalid where there are errors in the options of a request. */
export function refuseOptions(errors: readonly FieldError[], kind: string): void {
  if (errors.length > 0) throw invalidObject({ group: 'meta.k8s.io', kind }, '', errors);
}

/** What a list or a watch selects. Throws BadRequest for selectors that do not parse or name unknown fields. */
export function listQuery(resource: Resource, info: RequestInfo, url: URL): ListQuery {
  const q = url.searchParams;
  const query: ListQuery = { prefix: resource.namespaced && info.namespace !== '' ? `${info.namespace}/` : '' };
  integerOf(q, 'timeoutSeconds');
  const limit = integerOf(q, 'limit');
  if (limit > 0) query.limit = limit;
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
