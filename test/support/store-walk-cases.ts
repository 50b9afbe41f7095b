/** Random walks: whatever is written in whatever order, every version can be read back, and every watch tells how it came about. */
import { expect } from 'vitest';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import { add, configMap, namesIn, OPTIONS, object, page, remove, type StoreCase, said } from './store-cases.ts';
import type { StoreUnderTest, Watcher } from './store-under-test.ts';

const STEPS = 40;
const NAMES = ['a', 'b', 'c', 'd', 'e'];

interface Selection {
  labelSelector?: string;
  fieldSelector?: string;
  selects(object: KubeObject): boolean;
}

const SELECTIONS: Selection[] = [
  { selects: () => true },
  { labelSelector: 's=1', selects: ({ metadata }) => metadata.labels?.['s'] === '1' },
  { labelSelector: 's notin (1)', selects: ({ metadata }) => metadata.labels?.['s'] !== '1' },
  { fieldSelector: 'metadata.name!=a', labelSelector: 's', selects: ({ metadata }) => metadata.name !== 'a' },
];

const queryOf = ({ selects: _, ...query }: Selection): { labelSelector?: string; fieldSelector?: string } => query;

/** What the store must hold: at each resourceVersion, the objects by their names. */
type Past = Map<string, KubeObject>[];

/** The same numbers for the same seed (mulberry32). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

async function step(store: StoreUnderTest, past: Past, roll: (sides: number) => number): Promise<void> {
  const now = new Map(past.at(-1));
  const name = NAMES[roll(NAMES.length)] as string;
  const key = `ns/${name}`;
  if (!now.has(name)) {
    await add(store, configMap(name, { labels: { s: String(roll(3)) } }));
  } else if (roll(3) === 0) {
    await remove(store, name);
  } else {
    const body = JSON.stringify({ metadata: { labels: { s: String(roll(3)) } }, data: { step: String(past.length) } });
    const request = { do: 'patch', resource: 'core/v1/configmaps', type: 'merge', body, options: OPTIONS } as const;
    await store.calls.change(key, request);
  }
  const text = await store.calls.get(key);
  if (text === null) now.delete(name);
  else now.set(name, object({ text, deleted: false, resourceVersion: 0 }));
  past.push(now);
}

/** How a watcher who selects sees the way from each version to the next. */
function events(past: Past, { selects }: Selection): string[] {
  return past.slice(1).flatMap((after, i) => {
    const before = past[i] as Past[number];
    return NAMES.flatMap((name) => {
      const was = before.get(name);
      const is = after.get(name);
      if (was === is) return [];
      const saw = was !== undefined && selects(was);
      const sees = is !== undefined && selects(is);
      const type = sees ? (saw ? 'MODIFIED' : 'ADDED') : saw ? 'DELETED' : undefined;
      return type === undefined ? [] : [`${type} ${name}@${i + 1}`];
    });
  });
}

const namesAt = (past: Past, version: number, { selects }: Selection): string =>
  NAMES.filter((name) => {
    const found = past[version]?.get(name);
    return found !== undefined && selects(found);
  }).join(' ');

async function pages(store: StoreUnderTest, version: number, query: object): Promise<string> {
  let next = await page(store, { ...query, limit: 2, resourceVersion: String(version), resourceVersionMatch: 'Exact' });
  let found = namesIn(next);
  while (next.continue !== undefined) {
    next = await page(store, { ...query, limit: 2, continue: next.continue });
    expect(next.resourceVersion).toBe(version);
    found += ` ${namesIn(next)}`;
  }
  return found;
}

async function resumes(store: StoreUnderTest, past: Past, selection: Selection, from: number): Promise<void> {
  const watcher = await store.watch({ ...queryOf(selection), resourceVersion: String(from) });
  const wanted = events(past, selection).filter((event) => Number(event.split('@')[1]) > from);
  expect(said(await watcher.take(wanted.length))).toEqual(wanted);
  expect(watcher.left()).toEqual([]);
  await watcher.leave();
}

const walk = (seed: number): StoreCase => ({
  name: `walk ${seed}: every version can be read back, and every watch tells the way`,
  async run(store) {
    const roll = dice(seed);
    const past: Past = [new Map(), new Map()];
    const live: Watcher[] = [];
    for (const selection of SELECTIONS)
      live.push(await store.watch({ ...queryOf(selection), sendInitialEvents: false }));
    for (let i = 0; i < STEPS; i++) await step(store, past, roll);
    for (const [i, selection] of SELECTIONS.entries()) {
      const wanted = events(past, selection);
      expect(said(await (live[i] as Watcher).take(wanted.length))).toEqual(wanted);
      for (let version = 1; version < past.length; version += 1 + roll(4)) {
        expect(await pages(store, version, queryOf(selection)), `at ${version}`).toBe(
          namesAt(past, version, selection),
        );
        await resumes(store, past, selection, version);
      }
    }
    expect(live.flatMap((watcher) => watcher.left())).toEqual([]);
  },
});

export const walkCases: StoreCase[] = [1, 2, 3].map(walk);
