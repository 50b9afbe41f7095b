/** Lists as `meta.k8s.io/v1` Tables: what `kubectl get` prints is made here, after upstream's `printers` and `rest.TableConvertor`. */
import { badRequest } from '../../apimachinery/errors.ts';
import type { Json, JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import { columnsFor, defaultColumns } from '../../resources/columns/index.ts';
import type { Column, Resource } from '../../resources/resource.ts';

/** What a row carries of its object. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  /** `meta.k8s.io/v1`, or `v1beta1`. */
  metaVersion: string;
  includeObject: IncludeObject;
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

/** Reads the query parameter `includeObject`; rows carry metadata unless it says otherwise. Throws BadRequest with upstream's text. */
export function includeObject(parameter: string | null): IncludeObject {
  if (parameter === null || parameter === '') return 'Metadata';
  if (parameter === 'None' || parameter === 'Metadata' || parameter === 'Object') return parameter;
  const given = `Invalid value: ${JSON.stringify(parameter)}`;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: ${given}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

function columnsOf({ group, resource, columns }: Resource): readonly Column<KubeObject>[] {
  if (columns !== undefined) return columns;
  const id = `${group === '' ? 'core' : group}/${resource}`;
  return (Object.hasOwn(columnsFor, id) ? columnsFor[id] : undefined) ?? defaultColumns;
}

/** The table's head (`metav1.TableColumnDefinition`s); columns without a name are not in it. */
export function columnDefinitions(resource: Resource): JsonObject[] {
  return columnsOf(resource)
    .filter(({ name }) => name !== '')
    .map(({ name, type, format = '', description = '', priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    }));
}

const completed = (reason: string, message: string): JsonObject => ({
  type: 'Completed',
  status: 'True',
  reason,
  message,
});

/** Clients may hide or grey out the rows of pods that are done. */
const DONE: Record<string, JsonObject> = {
  Succeeded: completed('Succeeded', 'The pod has completed successfully.'),
  Failed: completed('Failed', 'The pod failed.'),
};

function conditionsOf(resource: Resource, object: KubeObject): JsonObject[] {
  if (resource.group !== '' || resource.resource !== 'pods') return [];
  const phase = (object as { status?: { phase?: string } }).status?.phase ?? '';
  return Object.hasOwn(DONE, phase) ? [DONE[phase] as JsonObject] : [];
}

function carried(resource: Resource, object: KubeObject, include: IncludeObject, metaVersion: string): Json {
  if (include === 'None') return null;
  if (include === 'Object') return object as unknown as JsonObject;
  return partial(resource, object, metaVersion);
}

/** Columns of built-in kinds know objects as they are kept; those of custom ones are of their version. */
const keptAs = ({ conversion, custom }: Resource, object: KubeObject): KubeObject =>
  conversion === undefined || custom !== undefined ? object : conversion.toStored(object);

/** The object's metadata alone. Upstream takes it of the internal object, before a version's own annotations are put on it. */
export function partial(resource: Resource, object: KubeObject, apiVersion: string): JsonObject {
  const { metadata } = keptAs(resource, object);
  const { annotations, ...rest } = metadata;
  const own = Object.entries(annotations ?? {}).filter(([key]) => !resource.versionAnnotations?.includes(key));
  const shown = own.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(own) };
  return { kind: 'PartialObjectMetadata', apiVersion, metadata: shown as unknown as JsonObject };
}

/** An object's row (`metav1.TableRow`). `now` in ms, for ages. */
export function tableRow(
  resource: Resource,
  object: KubeObject,
  include: IncludeObject,
  now: number,
  metaVersion = 'meta.k8s.io/v1',
): JsonObject {
  const kept = keptAs(resource, object);
  const cells = columnsOf(resource).map((column) => column.cell(kept, now));
  const conditions = conditionsOf(resource, object);
  return {
    cells,
    ...(conditions.length === 0 ? {} : { conditions }),
    object: carried(resource, object, include, metaVersion),
  };
}

/** Objects of one resource as a `metav1.Table`. `now` in ms, for ages. */
export function tableOf(
  resource: Resource,
  objects: readonly KubeObject[],
  options: TableOptions,
  now: number,
): JsonObject {
  const { metaVersion, resourceVersion, continue: next, remainingItemCount, includeObject } = options;
  return {
    kind: 'Table',
    apiVersion: metaVersion,
    metadata: {
      resourceVersion,
      ...(next ? { continue: next } : {}),
      ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
    },
    columnDefinitions: columnDefinitions(resource),
    rows: objects.map((object) => tableRow(resource, object, includeObject, now, metaVersion)),
  };
}
