/** A cluster in which nothing changes sleeps, open watches and all, and wakes when something does. */
import { setTimeout as passing } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { BenchClient } from '../bench/client.ts';

const IDLE_MS = 60_000;
/** Longer than a store needs to fall asleep. */
const SLEEP_MS = 25_000;
/** The tick, once a minute, wakes some stores; between two ticks there is time to look more than once. */
const LOOKS = 4;
const WATCHED = ['configmaps', 'services', 'pods'];

interface Stats {
  wokenAt: number;
  watchers: number;
}

interface ApiResource {
  name: string;
  verbs: string[];
}

describe('an idle cluster', () => {
  let plane: ControlPlane;
  let client: BenchClient;
  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'none' });
    client = new BenchClient(plane, Number.POSITIVE_INFINITY);
  });
  afterAll(async () => {
    client?.close();
    await plane?.stop();
  });

  const get = async <T>(path: string): Promise<T> => JSON.parse((await client.send('GET', path)).text) as T;
  const stats = (store: string): Promise<Stats> => get<Stats>(`/zeroplane/v1/stores/${store}/stats`);

  /** Every store that there can be, from discovery. */
  async function stores(): Promise<string[]> {
    const { groups } = await get<{ groups: { name: string; preferredVersion: { groupVersion: string } }[] }>('/apis');
    const versions = groups.map(({ name, preferredVersion }) => [name, `/apis/${preferredVersion.groupVersion}`]);
    const lists = [['core', '/api/v1'], ...versions].map(async ([group, path]) => {
      const { resources } = await get<{ resources: ApiResource[] }>(path as string);
      const kept = resources.filter(({ name, verbs }) => verbs.includes('list') && !name.includes('/'));
      return kept.map(({ name }) => `${group}/${name}`);
    });
    return (await Promise.all(lists)).flat();
  }

  it('has all its stores asleep, and its watches still deliver', async () => {
    const seen = new Set<string>();
    const closers = await Promise.all(
      WATCHED.map((name) =>
        client.watch(`/api/v1/namespaces/default/${name}?watch=true`, (line) => {
          const { type, object } = JSON.parse(line) as { type: string; object: { metadata: { name: string } } };
          seen.add(`${type} ${name}/${object.metadata.name}`);
        }),
      ),
    );
    const all = await stores();
    expect(all.length).toBeGreaterThan(30);
    const idleSince = Date.now();
    const awake = await Promise.all(all.map(stats));
    expect(awake.every(({ wokenAt }) => wokenAt > 0)).toBe(true);

    let answers: ({ store: string } & Stats)[] = [];
    let awakeStill: unknown[] = all;
    for (let look = 0; awakeStill.length > 0 && look < LOOKS; look++) {
      await passing(SLEEP_MS);
      const asked = Date.now();
      // A store that slept is made anew when it is asked, and finds its watchers again.
      answers = await Promise.all(all.map(async (store) => ({ store, ...(await stats(store)) })));
      awakeStill = answers.filter(({ wokenAt }) => wokenAt < asked);
    }
    expect(awakeStill).toEqual([]);
    const watchers = answers.filter((answer) => answer.watchers > 0).map(({ store, watchers }) => [store, watchers]);
    expect(watchers).toEqual(all.filter((store) => WATCHED.includes(store.replace('core/', ''))).map((s) => [s, 1]));

    await passing(Math.max(0, idleSince + IDLE_MS - Date.now()));
    const ports = [{ port: 80 }];
    const containers = [{ name: 'c', image: 'busybox' }];
    const morning: Record<string, object> = {
      configmaps: {},
      services: { spec: { ports } },
      pods: { spec: { containers } },
    };
    for (const name of WATCHED) {
      const object = { metadata: { name: 'morning' }, ...morning[name] };
      await client.send('POST', `/api/v1/namespaces/default/${name}`, object);
      await expect.poll(() => seen.has(`ADDED ${name}/morning`)).toBe(true);
    }
    for (const close of closers) close();
  });
});
