/** Where a request's token is judged. */
import { internalError } from '../../apimachinery/errors.ts';
import type { Surroundings } from '../context.ts';
import type { RequestInfo } from '../request-info.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Place } from './authenticate.ts';

/** The cluster that a request is for, seen by way of its stores. Throws InternalError where nobody can be told who is to be let in. */
export function placeOf({ cluster, path }: RequestInfo, around: Surroundings, snapshot: Snapshot): Place {
  const { external } = around;
  if (external !== undefined && 'problem' in external) {
    throw internalError(`the authentication configuration is invalid: ${external.problem}`);
  }
  return { cluster, path, snapshot, external, lookup: (id, key) => around.store(cluster, id).get(key) };
}
