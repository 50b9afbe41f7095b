/** The official JavaScript client as programs use it: informers that list, watch, come back after a restart and begin anew after a 410. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  CoreV1Api,
  type Informer,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  type ObjectCache,
  type V1ConfigMap,
  Watch,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delay } from '../../agent/informer.ts';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';

const AGAIN_MS = 50;

let plane: ControlPlane;
let config: KubeConfig;
let core: CoreV1Api;
const running: (() => Promise<void>)[] = [];
let done = false;

beforeAll(async () => {
  plane = await startControlPlane({ nodes: 'none', controllers: 'off' });
  config = new KubeConfig();
  config.loadFromFile(plane.kubeconfig);
  core = config.makeApiClient(CoreV1Api);
});
afterAll(async () => {
  done = true;
  await Promise.all(running.map((stop) => stop()));
  await plane?.stop({ keepData: false });
});

interface Seen<T extends KubernetesObject> {
  informer: Informer<T> & ObjectCache<T>;
  events: string[];
  errors: unknown[];
  pause(): Promise<void>;
  go(): Promise<void>;
}

/** An informer that starts again after an error, as the client's own documentation says to. */
async function inform<T extends KubernetesObject>(
  path: string,
  list: () => Promise<KubernetesListObject<T>>,
  selector?: string,
): Promise<Seen<T>> {
  const informer = makeInformer<T>(config, path, list, selector);
  const events: string[] = [];
  const errors: unknown[] = [];
  let isPaused = false;
  const pause = async (): Promise<void> => {
    isPaused = true;
    await informer.stop();
  };
  const go = async (): Promise<void> => {
    isPaused = false;
    await informer.start();
  };
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, (object) => events.push(`${verb} ${object.metadata?.name}`));
  }
  informer.on('error', (error) => {
    // The end of a watch that it ends itself is an error to it, too.
    if (done || isPaused) return;
    errors.push(error);
    void delay(AGAIN_MS).then(() => informer.start());
  });
  running.push(() => informer.stop());
  await informer.start();
  return { informer, events, errors, pause, go };
}

const namespace = 'default';
const configMap = (name: string, text: string, labels = { app: 'x' }): V1ConfigMap => ({
  metadata: { name, labels },
  data: { text },
});
const make = (name: string, labels?: { app: string }) =>
  core.createNamespacedConfigMap({ namespace, body: configMap(name, '1', labels) });

/** Stops the control plane and starts it again where it was. */
async function restart(meanwhile: () => void = () => {}): Promise<void> {
  const { data, port } = plane;
  await plane.stop({ keepData: true });
  meanwhile();
  plane = await startControlPlane({ nodes: 'none', controllers: 'off', data, port });
}

/** Does to the stores what compaction does after minutes: of their logs only the newest entry is left. */
function forgetHistory(): void {
  const state = join(plane.data, 'state');
  for (const file of readdirSync(state, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.sqlite') || !file.includes('ResourceStore')) continue;
    const database = new DatabaseSync(join(state, file));
    const hasLog = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'log'").get() !== undefined;
    if (hasLog) database.exec('DELETE FROM log WHERE resource_version < (SELECT max(resource_version) FROM log)');
    database.close();
  }
}

describe('an informer', () => {
  it('lists, then sees what happens', async () => {
    await make('before');
    const { informer, events } = await inform<V1ConfigMap>('/api/v1/namespaces/default/configmaps', () =>
      core.listNamespacedConfigMap({ namespace }),
    );
    expect(informer.list().map(({ metadata }) => metadata?.name)).toContain('before');
    await make('a');
    await core.replaceNamespacedConfigMap({ namespace, name: 'a', body: configMap('a', '2') });
    await core.deleteNamespacedConfigMap({ namespace, name: 'a' });
    await expect.poll(() => events).toEqual(['add before', 'add a', 'update a', 'delete a']);
    expect(informer.get('before', namespace)?.data).toEqual({ text: '1' });
    expect(informer.get('a', namespace)).toBeUndefined();
  });

  it('sees objects come and go by its selector', async () => {
    const labelSelector = 'app=mine';
    const { events } = await inform<V1ConfigMap>(
      '/api/v1/namespaces/default/configmaps',
      () => core.listNamespacedConfigMap({ namespace, labelSelector }),
      labelSelector,
    );
    await make('other');
    await make('mine', { app: 'mine' });
    await core.replaceNamespacedConfigMap({ namespace, name: 'mine', body: configMap('mine', '1', { app: 'not' }) });
    await expect.poll(() => events).toEqual(['add mine', 'delete mine']);
  });

  it('begins anew where its version is compacted', async () => {
    await make('kept');
    const { informer, events, errors, pause, go } = await inform<V1ConfigMap>(
      '/api/v1/namespaces/default/configmaps',
      () => core.listNamespacedConfigMap({ namespace }),
    );
    await expect.poll(() => events).toContain('add kept');
    await pause();
    for (let i = 2; i <= 5; i++)
      await core.replaceNamespacedConfigMap({ namespace, name: 'kept', body: configMap('kept', String(i)) });
    await restart(forgetHistory);
    // It still has the version that it had, and is told that it is too old.
    expect(informer.get('kept', namespace)?.data).toEqual({ text: '1' });
    const version = informer.get('kept', namespace)?.metadata?.resourceVersion;
    const first = new Promise((resolve) => {
      const take = (type: string, object: unknown): void => resolve({ type, object });
      void new Watch(config).watch('/api/v1/configmaps', { resourceVersion: version }, take, resolve);
    });
    expect(await first).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    await go();
    await expect.poll(() => informer.get('kept', namespace)?.data).toEqual({ text: '5' });
    await core.deleteNamespacedConfigMap({ namespace, name: 'kept' });
    await expect.poll(() => events.at(-1)).toBe('delete kept');
    expect(errors).toEqual([]);
  });

  it('comes back when the server has been started again', async () => {
    const { informer, events } = await inform<V1ConfigMap>('/api/v1/configmaps', () =>
      core.listConfigMapForAllNamespaces(),
    );
    const before = informer.list().length;
    await restart();
    await make('after');
    await expect.poll(() => informer.get('after', namespace)?.data).toEqual({ text: '1' });
    expect(informer.list()).toHaveLength(before + 1);
    expect(events.filter((event) => event.endsWith(' after'))).toEqual(['add after']);
    await core.deleteNamespacedConfigMap({ namespace, name: 'after' });
    await expect.poll(() => events.at(-1)).toBe('delete after');
  });
});
