/** From a write to the last watcher's event. */
import { delay } from '../../agent/informer.ts';
import type { ControlPlane } from '../../cli/harness/control-plane.ts';
import { BenchClient } from './client.ts';
import { type Figures, quantile, round } from './figures.ts';

const WRITES = 60;
const PATH = '/api/v1/namespaces/default/configmaps';
const LOST_MS = 10_000;

/** Opens so many watches, writes, and takes the time until all of them know. Throws when an event is missed. */
export async function measureWatches(plane: ControlPlane, figures: Figures, watchers: number): Promise<void> {
  const client = new BenchClient(plane, Number.POSITIVE_INFINITY);
  const label = `bench-${watchers}`;
  const waiting = new Map<string, { left: number; done: (at: number) => void }>();
  const onLine = (line: string): void => {
    const name = /"name":"(w-[^"]+)"/.exec(line)?.[1];
    const entry = name === undefined ? undefined : waiting.get(name);
    if (entry !== undefined && --entry.left === 0) entry.done(performance.now());
  };
  const path = `${PATH}?watch=true&labelSelector=w%3D${label}`;
  const closers = await Promise.all(Array.from({ length: watchers }, () => client.watch(path, onLine)));
  const times: number[] = [];
  for (let i = 0; i < WRITES; i++) {
    const name = `w-${watchers}-${i}`;
    const seen = new Promise<number>((resolve, reject) => {
      const lost = setTimeout(() => reject(new Error(`a watcher missed ${name}`)), LOST_MS);
      const done = (at: number): void => {
        clearTimeout(lost);
        resolve(at);
      };
      waiting.set(name, { left: watchers, done });
    });
    const started = performance.now();
    await client.send('POST', PATH, { metadata: { name, labels: { w: label } } });
    times.push((await seen) - started);
  }
  for (const close of closers) close();
  client.close();
  times.sort((a, b) => a - b);
  figures.add({
    name: 'write to last watcher',
    clients: watchers,
    p50Ms: round(quantile(times, 0.5)),
    p99Ms: round(quantile(times, 0.99)),
  });
}

const LAG_WRITERS = 16;
const LAG_MS = 4000;

/** How long after a write was answered a watcher knows of it, while many write as fast as they can. */
export async function measureLag(plane: ControlPlane, figures: Figures): Promise<void> {
  const client = new BenchClient(plane, LAG_WRITERS + 1);
  const answered = new Map<string, number>();
  const seen = new Map<string, number>();
  const close = await client.watch(`${PATH}?watch=true`, (line) => {
    const name = /"name":"(lag-[^"]+)"/.exec(line)?.[1];
    if (name !== undefined) seen.set(name, performance.now());
  });
  const until = performance.now() + LAG_MS;
  let made = 0;
  const write = async (): Promise<void> => {
    while (performance.now() < until) {
      const name = `lag-${made++}`;
      await client.send('POST', PATH, { metadata: { name } });
      answered.set(name, performance.now());
    }
  };
  await Promise.all(Array.from({ length: LAG_WRITERS }, write));
  for (const deadline = performance.now() + LOST_MS; seen.size < answered.size; await delay(10)) {
    if (performance.now() > deadline) throw new Error(`a watcher missed ${answered.size - seen.size} events`);
  }
  close();
  client.close();
  const lags = [...answered].map(([name, at]) => Math.max((seen.get(name) ?? 0) - at, 0)).sort((a, b) => a - b);
  figures.add({
    name: 'answer to watcher, while others write',
    clients: LAG_WRITERS,
    p50Ms: round(quantile(lags, 0.5)),
    p99Ms: round(quantile(lags, 0.99)),
  });
}
