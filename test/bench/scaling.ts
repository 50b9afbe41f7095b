/** From `scale --replicas=50` to all pods scheduled, and to all Running, on simulated nodes. */
import type { ControlPlane } from '../../cli/harness/control-plane.ts';
import { BenchClient } from './client.ts';
import { type Figures, round } from './figures.ts';

const REPLICAS = 50;
const APPS = '/apis/apps/v1/namespaces/default/deployments';
const TIMEOUT_MS = 120_000;

interface PodEvent {
  object: { metadata: { name: string }; spec: { nodeName?: string }; status?: { phase?: string } };
}

/** Scales a deployment up and watches its pods. Throws when they are not all Running in time. */
export async function measureScaling(plane: ControlPlane, figures: Figures): Promise<void> {
  const client = new BenchClient(plane, 4);
  const labels = { app: 'scaled' };
  await client.send('POST', APPS, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'scaled' },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'registry.example/app:1' }] } },
    },
  });
  const scheduled = new Set<string>();
  const running = new Set<string>();
  let started = 0;
  let allScheduled = 0;
  const close = await new Promise<() => void>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`only ${running.size} of ${REPLICAS} pods are Running`)),
      TIMEOUT_MS,
    );
    let closer: (() => void) | undefined;
    const onLine = (line: string): void => {
      const { object } = JSON.parse(line) as PodEvent;
      if (object.spec.nodeName !== undefined) scheduled.add(object.metadata.name);
      if (object.status?.phase === 'Running') running.add(object.metadata.name);
      if (scheduled.size === REPLICAS && allScheduled === 0) allScheduled = performance.now();
      if (running.size < REPLICAS || closer === undefined) return;
      clearTimeout(late);
      resolve(closer);
    };
    client
      .watch('/api/v1/namespaces/default/pods?watch=true&labelSelector=app%3Dscaled', onLine)
      .then(async (opened) => {
        closer = opened;
        started = performance.now();
        const scale = { spec: { replicas: REPLICAS } };
        await client.send('PATCH', `${APPS}/scaled/scale`, scale, 'application/merge-patch+json');
      })
      .catch(reject);
  });
  const ended = performance.now();
  close();
  client.close();
  figures.add({
    name: `scale to ${REPLICAS}: all scheduled`,
    value: round((allScheduled - started) / 1000),
    unit: 's',
  });
  figures.add({ name: `scale to ${REPLICAS}: all Running`, value: round((ended - started) / 1000), unit: 's' });
}
