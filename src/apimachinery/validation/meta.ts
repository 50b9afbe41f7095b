/** Metadata of objects, after upstream's `api/validation/objectmeta.go`. */
import { child, type FieldError, forbiddenField, invalid, item, required, tooLong } from '../field.ts';
import { type ObjectMeta, type OwnerReference, parseApiVersion } from '../meta.ts';
import { byteLength, isDns1123Label, isLabelValue, isQualifiedName } from '../names.ts';
import { pathSegmentName, subdomainName } from './object-names.ts';

/** Annotations of one object, keys and values together, in bytes. */
export const MAX_ANNOTATIONS = 256 * 1024;

/** What upstream says when a field that cannot change did. */
export const IMMUTABLE = 'field is immutable';

/** Problems of a name; `prefix`: it is a generateName. */
export type NameErrors = (name: string, prefix: boolean) => string[];

/**
 * Errors of a new object's metadata (`ValidateObjectMeta`); names are DNS subdomains unless `nameErrors` says otherwise. `plainFinalizers`:
 * they need not be qualified.
 */
export function validateObjectMeta(
  meta: ObjectMeta,
  namespaced: boolean,
  nameErrors: NameErrors = subdomainName,
  path = 'metadata',
  plainFinalizers = false,
): FieldError[] {
  const errors: FieldError[] = [];
  const at = (name: string): string => child(path, name);
  const name = meta.name ?? '';
  errors.push(...generateNameErrors(meta, nameErrors, path));
  if (name === '') errors.push(required(at('name'), 'name or generateName is required'));
  else for (const problem of nameErrors(name, false)) errors.push(invalid(at('name'), name, problem));
  errors.push(...namespaceErrors(meta.namespace ?? '', namespaced, at('namespace')));
  if (!plainFinalizers) errors.push(...validateStandardFinalizers(meta.finalizers, at('finalizers')));
  return [...errors, ...commonErrors(meta, path)];
}

function generateNameErrors({ generateName = '' }: ObjectMeta, nameErrors: NameErrors, path: string): FieldError[] {
  if (generateName === '') return [];
  const at = child(path, 'generateName');
  return nameErrors(generateName, true).map((problem) => invalid(at, generateName, problem));
}

function namespaceErrors(namespace: string, namespaced: boolean, path: string): FieldError[] {
  if (!namespaced) return namespace === '' ? [] : [forbiddenField(path, 'not allowed on this type')];
  if (namespace === '') return [required(path)];
  return isDns1123Label(namespace).map((problem) => invalid(path, namespace, problem));
}

function commonErrors(meta: ObjectMeta, path: string): FieldError[] {
  const at = (name: string): string => child(path, name);
  const errors: FieldError[] = [];
  if ((meta.generation ?? 0) < 0) {
    errors.push(invalid(at('generation'), meta.generation, 'must be greater than or equal to 0'));
  }
  return [...errors, ...contentErrors(meta, path), ...validateFinalizers(meta.finalizers, at('finalizers'))];
}

/** Of the parts that an update may change. */
function contentErrors(meta: ObjectMeta, path: string): FieldError[] {
  const at = (name: string): string => child(path, name);
  return [
    ...validateLabels(meta.labels, at('labels')),
    ...validateAnnotations(meta.annotations, at('annotations')),
    ...validateOwnerReferences(meta.ownerReferences, at('ownerReferences')),
    ...validateManagedFields(meta, at('managedFields')),
  ];
}

/** Errors of labels (`ValidateLabels`): they point at the whole map. A null value counts as empty, as Go reads it. */
export function validateLabels(labels: Record<string, string> | null | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const problem of isQualifiedName(key)) errors.push(invalid(path, key, problem));
    for (const problem of isLabelValue(value ?? '')) errors.push(invalid(path, value, problem));
  }
  return errors;
}

/** Errors of annotations (`ValidateAnnotations`): case does not count in keys, values are free, the size is limited. */
export function validateAnnotations(
  annotations: Record<string, string> | null | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const problem of isQualifiedName(key.toLowerCase())) errors.push(invalid(path, key, problem));
    size += byteLength(key) + byteLength(value ?? '');
  }
  if (size > MAX_ANNOTATIONS) errors.push(tooLong(path, MAX_ANNOTATIONS));
  return errors;
}

function validateOwnerReferences(owners: readonly OwnerReference[] | null | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller: OwnerReference | undefined;
  for (const owner of owners ?? []) {
    const { group, version } = versionOf(owner.apiVersion ?? '');
    if (version === '')
      errors.push(invalid(child(path, 'apiVersion'), owner.apiVersion ?? '', 'version must not be empty'));
    for (const field of ['kind', 'name', 'uid'] as const) {
      if (!owner[field]) errors.push(invalid(child(path, field), owner[field] ?? '', 'must not be empty'));
    }
    if (group === '' && version === 'v1' && owner.kind === 'Event') {
      errors.push(invalid(path, owner, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (owner.controller !== true) continue;
    if (controller === undefined) {
      controller = owner;
    } else {
      const both = `${controller.kind}/${controller.name} and ${owner.kind}/${owner.name}`;
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${both}`;
      errors.push(invalid(path, owners, detail));
    }
  }
  return errors;
}

/** More than one slash is no version at all. */
function versionOf(apiVersion: string): { group: string; version: string } {
  return apiVersion.split('/', 3).length > 2 ? { group: '', version: '' } : parseApiVersion(apiVersion);
}

const STANDARD_FINALIZERS = ['orphan', 'foregroundDeletion', 'kubernetes'];
const NOT_STANDARD = 'name is neither a standard finalizer name nor is it fully qualified';

/** Problems of finalizers' names (`ValidateFinalizers`). */
function validateFinalizers(finalizers: readonly string[] | null | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const list = finalizers ?? [];
  for (const finalizer of list) {
    for (const problem of isQualifiedName(finalizer)) errors.push(invalid(path, finalizer, problem));
  }
  if (list.includes('orphan') && list.includes('foregroundDeletion')) {
    errors.push(invalid(path, list, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

/** A plain name must be that of a standard finalizer (`ValidateFinalizerName`). */
function validateStandardFinalizers(finalizers: readonly string[] | null | undefined, path: string): FieldError[] {
  return (finalizers ?? []).flatMap((finalizer, index) =>
    finalizer.includes('/') || STANDARD_FINALIZERS.includes(finalizer)
      ? []
      : [invalid(item(path, index), finalizer, NOT_STANDARD)],
  );
}

const MANAGER_TEXT = 'should not contain control characters';

function validateManagedFields(meta: ObjectMeta, path: string): FieldError[] {
  const errors: FieldError[] = [];
  (meta.managedFields ?? []).forEach((entry, index) => {
    const at = item(path, index);
    const { operation, fieldsType, manager = '', subresource = '' } = entry;
    if (operation !== 'Apply' && operation !== 'Update') {
      errors.push(invalid(child(at, 'operation'), operation ?? '', 'must be `Apply` or `Update`'));
    }
    if (fieldsType !== undefined && fieldsType !== 'FieldsV1') {
      errors.push(invalid(child(at, 'fieldsType'), fieldsType, 'must be `FieldsV1`'));
    }
    if (byteLength(manager) > 128) errors.push(tooLong(child(at, 'manager'), 128));
    const control = [...manager].findIndex((character) => /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/u.test(character));
    if (control >= 0) errors.push(invalid(child(at, 'manager'), manager, MANAGER_TEXT));
    if (byteLength(subresource) > 256) errors.push(tooLong(child(at, 'subresource'), 256));
  });
  return errors;
}

/** Fields that no update may change, in upstream's order. */
const FIXED = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/** How often the whole metadata is looked at, and how often its transition. */
export type MetadataChecks = readonly [whole: number, transition: number];

/**
 * Errors of an update's metadata: of the transition, and of what is new (`ValidateObjectMetaUpdate`). Upstream looks once for
 * every kind and as often as `checks` says for this one, and names the causes each time.
 */
export function validateObjectMetaUpdate(
  meta: ObjectMeta,
  old: ObjectMeta,
  namespaced: boolean,
  checks: MetadataChecks = [1, 1],
  plainFinalizers = false,
  nameErrors: NameErrors = subdomainName,
  path = 'metadata',
): FieldError[] {
  const whole = commonErrors(meta, path);
  const content = contentErrors(meta, path);
  const standard = plainFinalizers ? [] : validateStandardFinalizers(meta.finalizers, child(path, 'finalizers'));
  const transition = transitionErrors(meta, old, namespaced, path);
  const [wholes, transitions] = checks;
  return [
    ...repeat(transition, 1 + transitions),
    ...repeat(whole, 1 + wholes),
    ...repeat(generateNameErrors(meta, nameErrors, path), wholes),
    ...generateNameErrors(meta, pathSegmentName, path),
    ...repeat(content, 1 + transitions),
    ...repeat(standard, wholes + transitions),
  ];
}

function repeat<T>(list: readonly T[], times: number): T[] {
  return Array.from({ length: times }, () => list).flat();
}

function transitionErrors(meta: ObjectMeta, old: ObjectMeta, namespaced: boolean, path: string): FieldError[] {
  const at = (name: string): string => child(path, name);
  const errors: FieldError[] = [];
  // A finalizer that was taken away may come back no more: deletion only waits for those that are there.
  if (old.deletionTimestamp) {
    const added = (meta.finalizers ?? []).filter((finalizer) => !old.finalizers?.includes(finalizer)).sort();
    if (added.length > 0) {
      const list = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(', ')}}`;
      errors.push(
        forbiddenField(
          at('finalizers'),
          `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`,
        ),
      );
    }
  }
  for (const field of FIXED) {
    if (field === 'namespace' && !namespaced && !meta.namespace) continue;
    if ((meta[field] || undefined) !== (old[field] || undefined)) {
      errors.push(invalid(at(field), meta[field] ?? (field.startsWith('deletion') ? null : ''), IMMUTABLE));
    }
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(at('generation'), meta.generation, 'must not be decremented'));
  }
  return errors;
}
