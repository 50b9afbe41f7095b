/** Deletion with grace, finalizers and propagation, after upstream's `registry.Store.Delete`. */
import { conflict, forbidden, notFound, type StatusError } from '../../apimachinery/errors.ts';
import { type KubeObject, now } from '../../apimachinery/meta.ts';
import type { DeleteRequest } from '../../durable-objects/rpc.ts';
import type { Resource } from '../../resources/resource.ts';
import { withResourceVersion } from '../../store/text.ts';
import type { Decide, Encoded } from '../../store/types.ts';
import { deleteProblem } from '../admission/node-restriction/change.ts';
import { fromStored } from './conversion.ts';
import { decodeText, encode, encodeStored, splitKey } from './encode.ts';
import { keptResource } from './resource-name.ts';

export const ORPHAN = 'orphan';
export const FOREGROUND = 'foregroundDeletion';

/** The finalizers with what the request, the object or else its kind says of its dependents (`deletionFinalizersForGarbageCollection`). */
function finalizersFor({ strategy }: Resource, object: KubeObject, options: DeleteRequest): string[] {
  const present = object.metadata.finalizers ?? [];
  const others = present.filter((f) => f !== ORPHAN && f !== FOREGROUND);
  const told = options.propagationPolicy ?? (options.orphanDependents === true ? 'Orphan' : undefined);
  const open = told === undefined && options.orphanDependents === undefined;
  if (open && (others.length < present.length || strategy.orphansDependents !== true)) return present;
  const policy = open ? 'Orphan' : told;
  if (policy === 'Orphan') return [...others, ORPHAN];
  if (policy === 'Foreground') return [...others, FOREGROUND];
  return others;
}

/** Conflict when the object is not the one that the caller meant. */
function checkPreconditions(
  resource: Resource,
  object: KubeObject,
  preconditions: DeleteRequest['preconditions'],
): StatusError | undefined {
  const { name, uid, resourceVersion } = object.metadata;
  // Upstream names the kind here, not the resource.
  const kind = { group: resource.group, resource: resource.kind };
  const differs = (what: string, wanted: string, actual: string | undefined, guess: string): StatusError => {
    const record = `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${actual ?? ''})`;
    return conflict(kind, name, `${record}. The object might have been ${guess}`);
  };
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
    return differs('UID', preconditions.uid, uid, 'deleted and then recreated');
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    return differs('ResourceVersion', preconditions.resourceVersion, resourceVersion, 'modified');
  }
  return undefined;
}

/**
 * The decision for one delete: gone at once, or marked as being deleted and left to its finalizers or its kubelet. `mark` may say on the
 * object why it goes.
 */
export function decideDelete(
  resource: Resource,
  key: string,
  options: DeleteRequest,
  mark: (object: KubeObject) => void = () => {},
): Decide {
  return (current) => {
    if (current === undefined) return { do: 'fail', status: notFound(resource, splitKey(key).name).status };
    const object = asKept(resource, current.text);
    const refused = refusal(resource, object, options);
    if (refused !== undefined) return { do: 'fail', status: refused.status };
    const failed = checkPreconditions(resource, object, options.preconditions);
    if (failed !== undefined) return { do: 'fail', status: failed.status };
    mark(object);

    const meta = object.metadata;
    const finalizers = finalizersFor(resource, object, options);
    const grace = resource.strategy.gracePeriodSeconds?.(object, options.gracePeriodSeconds) ?? 0;
    const remaining = meta.deletionGracePeriodSeconds ?? 0;
    const wasDeleting = meta.deletionTimestamp !== undefined;
    const held = finalizers.length > 0 || (resource.strategy.moreFinalizers?.(object) ?? []).length > 0;
    const waits = held || (grace > 0 && !(wasDeleting && remaining === 0));

    if (!waits) {
      if (options.dryRun) return { do: 'answer', text: current.text, deleted: true };
      // What never waits was never marked either.
      const final =
        resource.strategy.gracePeriodSeconds === undefined && !wasDeleting
          ? object
          : setDeletion(object, 0, finalizers);
      countDeletion(final, wasDeleting);
      return { do: 'delete', final: encodeKept(resource, final) };
    }
    // A second delete may shorten the grace that is left, never lengthen it.
    if (wasDeleting && grace >= remaining && sameList(finalizers, meta.finalizers ?? [])) {
      return { do: 'answer', text: current.text };
    }
    const marked = setDeletion(object, wasDeleting ? Math.min(grace, remaining) : grace, finalizers);
    countDeletion(marked, wasDeleting);
    resource.strategy.markDeleting?.(marked, object);
    const encoded = encodeKept(resource, marked);
    if (options.dryRun) return { do: 'answer', text: withResourceVersion(encoded.text, current.resourceVersion) };
    return { do: 'write', object: encoded };
  };
}

/** What is deleted need not be converted by a webhook first: it is looked at as it is kept. */
const asKept = (resource: Resource, text: string): KubeObject =>
  decodeText(resource.conversion?.webhook === undefined ? fromStored(resource, text) : text);

const encodeKept = (resource: Resource, object: KubeObject): Encoded =>
  resource.conversion?.webhook === undefined
    ? encodeStored(resource, object)
    : encode(keptResource(resource, object), object);

/** Why who asks may not delete the object. */
function refusal(resource: Resource, object: KubeObject, { node }: DeleteRequest): StatusError | undefined {
  const why = node === undefined ? undefined : deleteProblem(resource, object, node);
  return why === undefined ? undefined : forbidden(resource, object.metadata.name, why);
}

/** That it is to go is a change of what is wanted. Takes the object, in place. */
function countDeletion({ metadata }: KubeObject, wasDeleting: boolean): void {
  if (!wasDeleting && metadata.generation !== undefined) metadata.generation += 1;
}

function setDeletion(object: KubeObject, graceSeconds: number, finalizers: string[]): KubeObject {
  const metadata = {
    ...object.metadata,
    deletionTimestamp: now(Date.now() + graceSeconds * 1000),
    deletionGracePeriodSeconds: graceSeconds,
  };
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  return { ...object, metadata };
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
