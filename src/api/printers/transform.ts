/** What a client asked to be made of objects: Tables, or their metadata alone, after upstream's `transformResponseObject`. */
import { notAcceptableBecause } from '../../apimachinery/errors.ts';
import type { JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Accepted } from '../negotiation.ts';
import { includeObject, partial, tableOf } from './table.ts';

const META = 'meta.k8s.io/v1';

/** One object. Throws NotAcceptable when a list of metadata is asked for. */
export function transformObject(
  resource: Resource,
  object: KubeObject,
  { as, metaVersion = META }: Accepted,
  url: URL,
): JsonObject | KubeObject {
  switch (as) {
    case undefined:
      return object;
    case 'Table': {
      const { resourceVersion = '' } = object.metadata;
      const include = includeObject(url.searchParams.get('includeObject'));
      return tableOf(resource, [object], { metaVersion, includeObject: include, resourceVersion }, Date.now());
    }
    case 'PartialObjectMetadata':
      return partial(resource, object, metaVersion);
    default:
      throw notAcceptableBecause(
        `you requested PartialObjectMetadataList, but the requested object is not a list (${goType(resource, resource.kind)})`,
      );
  }
}

/** A list; without a wish it is of `kind`. Throws NotAcceptable when the metadata of one object is asked for. */
export function transformList(
  resource: Resource,
  items: readonly KubeObject[],
  metadata: JsonObject,
  kind: { kind: string; apiVersion: string },
  { as, metaVersion = META }: Accepted,
  url: URL,
): JsonObject {
  switch (as) {
    case undefined:
      return {
        ...kind,
        metadata,
        items: resource.custom === undefined ? items.map(untyped) : ([...items] as unknown as JsonObject[]),
      };
    case 'Table': {
      const include = includeObject(url.searchParams.get('includeObject'));
      const resourceVersion = String(metadata['resourceVersion']);
      return tableOf(
        resource,
        items,
        { ...metadata, metaVersion, includeObject: include, resourceVersion },
        Date.now(),
      );
    }
    case 'PartialObjectMetadataList': {
      const list = { kind: as, apiVersion: metaVersion, metadata };
      // Where a full list is empty, upstream's partial one is null.
      return { ...list, items: items.length === 0 ? null : items.map((item) => partial(resource, item, metaVersion)) };
    }
    default:
      throw notAcceptableBecause(
        `you requested PartialObjectMetadata, but the requested object is a list (${goType(resource, kind.kind)})`,
      );
  }
}

/** Kind and apiVersion of what a list holds are the list's to say. */
function untyped({ kind: _, apiVersion: __, ...object }: KubeObject): JsonObject {
  return object as unknown as JsonObject;
}

/** Go's name of a kind's internal type, which upstream's messages show. */
function goType({ group }: Resource, kind: string): string {
  const pkg = group === '' || group === 'events.k8s.io' ? 'core' : group.split('.', 1)[0];
  return `*${pkg}.${kind}`;
}
