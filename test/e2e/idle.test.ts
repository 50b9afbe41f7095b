/** A cluster in which nothing changes sleeps, open watches and all, and wakes when something does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { BenchClient } from '../bench/client.ts';

const IDLE_MS = 60_000;
const WATCHED = ['configmaps', 'services', 'pods'];
const STORES = [
  ...WATCHED.map((name) => `core/${name}`),
  'core/namespaces',
  'core/nodes',
  'core/secrets',
  'core/events',
  'apps/deployments',
  'apps/replicasets',
  'discovery.k8s.io/endpointslices',
  'coordination.k8s.io/leases',
  'rbac.authorization.k8s.io/clusterroles',
];

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

  const wokenAt = async (store: string): Promise<number> => {
    const { text } = await client.send('GET', `/zeroplane/v1/stores/${store}/stats`);
    return (JSON.parse(text) as { wokenAt: number }).wokenAt;
  };

  it('has put all its stores to sleep after a minute, and its watches still deliver', async () => {
    const seen = new Set<string>();
    const closers = await Promise.all(
      WATCHED.map((name) =>
        client.watch(`/api/v1/namespaces/default/${name}?watch=true`, (line) => {
          const { type, object } = JSON.parse(line) as { type: string; object: { metadata: { name: string } } };
          seen.add(`${type} ${name}/${object.metadata.name}`);
        }),
      ),
    );
    await Promise.all(STORES.map(wokenAt));
    const idleSince = Date.now();
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));

    await client.send('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'morning' } });
    await expect.poll(() => seen.has('ADDED configmaps/morning'), { timeout: 5000 }).toBe(true);
    const ports = [{ port: 80 }];
    await client.send('POST', '/api/v1/namespaces/default/services', {
      metadata: { name: 'morning' },
      spec: { ports },
    });
    await expect.poll(() => seen.has('ADDED services/morning'), { timeout: 5000 }).toBe(true);
    // A store that slept was made anew when it was next asked.
    const slept = await Promise.all(STORES.map(async (store) => [store, (await wokenAt(store)) > idleSince]));
    expect(slept).toEqual(STORES.map((store) => [store, true]));
    for (const close of closers) close();
  });
});
