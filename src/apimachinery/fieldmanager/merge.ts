/** A configuration merged into the live object (upstream's `typed.Merge`). */
import { define } from '../codec/depth.ts';
import type { Json, JsonObject } from '../meta.ts';
import type { ListType, MapType, Type } from './types.ts';
import { elementOf, fieldOf, isMap, resolve } from './value.ts';

/** `live` with what `config` says; neither is changed, but parts of both are shared. */
export function merge(type: Type, live: Json | undefined, config: Json | undefined): Json | undefined {
  if (config === undefined || live === undefined) return config ?? live;
  const is = resolve(type, config ?? live);
  const was = resolve(type, live ?? config);
  if (is.kind !== was.kind) return config;
  if (is.kind === 'list') return mergeLists(is, live, config);
  return is.kind === 'map' ? mergeMaps(is, live, config) : config;
}

function mergeMaps(type: MapType, live: Json, config: Json): Json {
  const was = isMap(live) ? live : null;
  const is = isMap(config) ? config : null;
  const empty = (map: JsonObject | null): boolean => map === null || Object.keys(map).length === 0;
  if (type.atomic || (empty(was) && empty(is))) return config;
  const out: JsonObject = {};
  for (const key in was) define(out, key, was[key] as Json);
  for (const key in is) {
    const value = is[key];
    if (value === undefined) continue;
    const before = was !== null && Object.hasOwn(was, key) ? was[key] : undefined;
    const merged =
      before === undefined
        ? value
        : merge(fieldOf(type, key)?.type ?? { kind: 'deduced', atomic: false }, before, value);
    define(out, key, merged as Json);
  }
  return out;
}

function mergeLists(type: ListType, live: Json, config: Json): Json {
  const was = Array.isArray(live) ? live : [];
  const is = Array.isArray(config) ? config : [];
  if (type.relation === 'atomic' || (was.length === 0 && is.length === 0)) return config;
  return inMergedOrder(type, was, is);
}

/** An item with its element; items without keys are told apart by their place. */
interface Item {
  element: string;
  value: Json;
}

const itemsOf = (type: ListType, list: readonly Json[], side: string): Item[] =>
  list.map((value, index) => ({ element: elementOf(type, value) ?? `${side}${index}`, value }));

/**
 * The order of the configuration for what both have; what only the live list has stays where it was between those. Duplicates of the
 * live list stay, unless the configuration speaks of them.
 */
function inMergedOrder(type: ListType, live: readonly Json[], config: readonly Json[]): Json[] {
  const left = itemsOf(type, live, 'l');
  const right = itemsOf(type, config, 'r');
  const inConfig = new Set(right.map((item) => item.element));
  const counts = new Map<string, number>();
  for (const { element } of left) counts.set(element, (counts.get(element) ?? 0) + 1);
  const liveValues = new Map(left.filter((item) => counts.get(item.element) === 1).map((i) => [i.element, i.value]));
  const shared = right.filter((item) => counts.has(item.element)).map((item) => item.element);
  const done = new Set<string>();
  const out: Json[] = [];
  const takeRight = ({ element, value }: Item): void => {
    done.add(element);
    out.push(merge(type.item, liveValues.get(element), value) as Json);
  };
  let next = 0;
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const mine = left[l];
    const theirs = right[r];
    if (mine !== undefined && theirs !== undefined) {
      if (mine.element === theirs.element) {
        takeRight(theirs);
        l++;
        r++;
        next++;
        continue;
      }
      // Shared, but its turn comes later in the configuration.
      if (inConfig.has(mine.element) && next < shared.length && shared[next] !== mine.element) {
        l++;
        continue;
      }
    }
    if (mine !== undefined && !inConfig.has(mine.element)) {
      out.push(mine.value);
      l++;
      continue;
    }
    if (mine !== undefined && done.has(mine.element)) {
      l++;
      continue;
    }
    if (theirs !== undefined) {
      takeRight(theirs);
      r++;
      if (shared[next] === theirs.element) next++;
      continue;
    }
    l++;
  }
  return out;
}
