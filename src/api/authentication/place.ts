/** Where a request's token is judged. */
import type { Surroundings } from '../context.ts';
import type { RequestInfo } from '../request-info.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Place } from './authenticate.ts';

/** The cluster that a request is for, seen by way of its stores. */
export function placeOf({ cluster }: RequestInfo, around: Surroundings, snapshot: Snapshot): Place {
  return { cluster, snapshot, lookup: (id, key) => around.store(cluster, id).get(key) };
}
