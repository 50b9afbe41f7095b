/** Requests per second and their times, and the rows that each kind of write costs. */
import type { ControlPlane } from '../../cli/harness/control-plane.ts';
import { BenchClient } from './client.ts';
import { type Figures, quantile, round } from './figures.ts';

const NAMESPACE = 'bench';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const LISTED = 500;
const WARM_UP_MS = 500;

type Operation = (client: BenchClient) => Promise<unknown>;

let made = 0;
const next = (): string => `p-${made++}`;

const pod = (name: string, app: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app } },
  spec: {
    // Nobody's: the pods stay as they are.
    schedulerName: 'nobody',
    containers: [
      {
        name: 'c',
        image: 'registry.example/app:1',
        resources: { requests: { cpu: '100m', memory: '64Mi' } },
        ports: [{ containerPort: 80 }],
      },
    ],
  },
});

const create: Operation = (client) => client.send('POST', PODS, pod(next(), 'made'));
const patch: Operation = (client) =>
  client.send(
    'PATCH',
    `${PODS}/listed-${made++ % LISTED}`,
    { metadata: { annotations: { n: String(made) } } },
    'application/merge-patch+json',
  );

const OPERATIONS: Record<string, Operation> = {
  version: (client) => client.send('GET', '/version'),
  get: (client) => client.send('GET', `${PODS}/listed-${made++ % LISTED}`),
  list: (client) => client.send('GET', `${PODS}?labelSelector=app%3Dlisted&limit=${LISTED}`),
  create,
  patch,
  'create and delete': async (client) => {
    const name = next();
    await client.send('POST', PODS, pod(name, 'gone'));
    await client.send('DELETE', `${PODS}/${name}?gracePeriodSeconds=0`);
  },
};

/** Makes what is read: a namespace with 500 pods. */
export async function prepare(client: BenchClient): Promise<void> {
  await client.send('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  await client.send('POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, { metadata: { name: 'default' } });
  await Promise.all(Array.from({ length: LISTED }, (_, i) => client.send('POST', PODS, pod(`listed-${i}`, 'listed'))));
}

/** Every operation with so many clients. */
export async function measureRequests(
  plane: ControlPlane,
  figures: Figures,
  clients: number,
  seconds: number,
): Promise<void> {
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const client = new BenchClient(plane, clients);
    const times: number[] = [];
    const work = async (until: number, times?: number[]): Promise<void> => {
      while (performance.now() < until) {
        const started = performance.now();
        await operation(client);
        times?.push(performance.now() - started);
      }
    };
    const all = (ms: number, into?: number[]): Promise<unknown> => {
      const until = performance.now() + ms;
      return Promise.all(Array.from({ length: clients }, () => work(until, into)));
    };
    await all(WARM_UP_MS);
    const started = performance.now();
    await all(seconds * 1000, times);
    const elapsed = (performance.now() - started) / 1000;
    times.sort((a, b) => a - b);
    const p50Ms = round(quantile(times, 0.5));
    const version = figures.find('version', clients)?.p50Ms ?? p50Ms;
    figures.add({
      name,
      clients,
      perSecond: Math.round(times.length / elapsed),
      p50Ms,
      p99Ms: round(quantile(times, 0.99)),
      toVersion: round(p50Ms / version),
    });
    client.close();
  }
}

/** Rows written by one create, one patch and one delete of a pod, each the mean of many. */
export async function measureRows(plane: ControlPlane, figures: Figures): Promise<void> {
  const client = new BenchClient(plane, 1);
  const written = async (): Promise<number> => {
    const { text } = await client.send('GET', '/zeroplane/v1/stores/core/pods/stats');
    return (JSON.parse(text) as { rowsWritten: number }).rowsWritten;
  };
  const names = Array.from({ length: 20 }, next);
  const kinds: [string, (name: string) => Promise<unknown>][] = [
    ['create', (name) => client.send('POST', PODS, pod(name, 'rows'))],
    ['patch', (name) => client.send('PATCH', `${PODS}/${name}`, { metadata: { labels: { b: name } } }, MERGE)],
    ['delete', (name) => client.send('DELETE', `${PODS}/${name}?gracePeriodSeconds=0`)],
  ];
  for (const [kind, operation] of kinds) {
    const before = await written();
    for (const name of names) await operation(name);
    const rows = ((await written()) - before) / names.length;
    figures.add({ name: `rows written by a ${kind}`, value: round(rows), unit: 'rows' });
  }
  client.close();
}

const MERGE = 'application/merge-patch+json';
