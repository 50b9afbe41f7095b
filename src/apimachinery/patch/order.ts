/** Order of merged lists in a strategic merge patch: the patch's order wins, the server's own items keep their places around it. */
import type { Json } from '../meta.ts';
import { get, isObject } from './values.ts';

/** What an item is known by: its merge key's value, or itself. */
export type Identity = (item: Json) => unknown;

/** Identity by a merge key; without one, of scalars. */
export function identityBy(mergeKey: string | undefined): Identity {
  return (item) => (mergeKey === undefined ? item : isObject(item) ? get(item, mergeKey) : undefined);
}

/** Where each identity stands first. */
function places(items: readonly Json[], identity: Identity): Map<unknown, number> {
  const found = new Map<unknown, number>();
  items.forEach((item, at) => {
    const id = identity(item);
    if (!found.has(id)) found.set(id, at);
  });
  return found;
}

/**
 * Puts merged items in order (upstream's `normalizeElementOrder`). Items named by `wanted` come in its order; the others in
 * the order that the server had, each before the first wanted one that it preceded there.
 */
export function inOrder(
  merged: readonly Json[],
  wanted: readonly Json[],
  server: readonly Json[],
  identity: Identity,
): Json[] {
  const wantedPlace = places(wanted, identity);
  const serverPlace = places(server, identity);
  const sorted = (items: Json[], place: Map<unknown, number>): Json[] =>
    items.sort((a, b) => (place.get(identity(a)) ?? -1) - (place.get(identity(b)) ?? -1));
  const mine = sorted(
    merged.filter((item) => wantedPlace.has(identity(item))),
    wantedPlace,
  );
  const theirs = sorted(
    merged.filter((item) => !wantedPlace.has(identity(item))),
    serverPlace,
  );
  const result: Json[] = [];
  let next = 0;
  for (const item of mine) {
    const place = serverPlace.get(identity(item));
    while (place !== undefined && next < theirs.length) {
      const other = serverPlace.get(identity(theirs[next] as Json));
      if (other === undefined || other >= place) break;
      result.push(theirs[next] as Json);
      next += 1;
    }
    result.push(item);
  }
  return [...result, ...theirs.slice(next)];
}

/** Whether the items stand in the order of a list that may have more between them. */
export function follows(items: readonly Json[], order: readonly Json[], identity: Identity): boolean {
  let next = 0;
  for (const item of order) if (next < items.length && identity(items[next] as Json) === identity(item)) next += 1;
  return next === items.length;
}
