/** What holds the cluster's CAs follows them: the ConfigMaps of namespaces and of extension API servers, and Secrets with tokens. */
import { describe, expect, it } from 'vitest';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { clusterAuthenticationTrustController } from '../../src/controllers/cluster-authentication-trust/index.ts';
import type { RootCa } from '../../src/controllers/controller.ts';
import { rootCaController } from '../../src/controllers/root-ca/index.ts';
import { serviceAccountTokenController } from '../../src/controllers/serviceaccount-token/index.ts';
import type { ConfigMap, Secret } from '../../src/generated/types/core.v1.ts';

const HOUR = 3600_000;
const EXTENSION = 'extension-apiserver-authentication';

async function start(): Promise<Simulation> {
  const controllers = [rootCaController, serviceAccountTokenController, clusterAuthenticationTrustController];
  const simulation = new Simulation({ controllers });
  const { cluster } = simulation;
  simulation.rootCa = { bundle: 'old' };
  for (const name of ['default', 'kube-system']) await cluster.create('core/namespaces', { metadata: { name } });
  await cluster.create('core/serviceaccounts', { metadata: { name: 'default', namespace: 'default' } });
  const annotations = { 'kubernetes.io/service-account.name': 'default' };
  await cluster.create<Secret>('core/secrets', {
    metadata: { name: 'token', namespace: 'default', annotations },
    type: 'kubernetes.io/service-account-token',
  });
  await cluster.create<ConfigMap>('core/configmaps', {
    metadata: { name: EXTENSION, namespace: 'kube-system' },
    data: { 'client-ca-file': 'tampered', own: 'kept' },
  });
  await simulation.settle();
  return simulation;
}

/** What each of them says, in this order. */
function held({ cluster }: Simulation): (string | undefined)[] {
  const map = (namespace: string, name: string): Record<string, string> =>
    cluster.peek<ConfigMap>('core/configmaps', namespace, name)?.data ?? {};
  const secret = cluster.peek<Secret>('core/secrets', 'default', 'token')?.data ?? {};
  return [
    ...['default', 'kube-system'].map((namespace) => map(namespace, 'kube-root-ca.crt')['ca.crt']),
    ...['client-ca-file', 'requestheader-client-ca-file'].map((key) => map('kube-system', EXTENSION)[key]),
    atob(secret['ca.crt'] ?? ''),
  ];
}

const all = (text: string): string[] => Array<string>(5).fill(text);

async function change(simulation: Simulation, to: RootCa): Promise<void> {
  simulation.rootCa = to;
  await simulation.manager.rootCaChanged();
}

describe('what holds the CAs', () => {
  it('has them, and is brought back to them', async () => {
    const simulation = await start();
    expect(held(simulation)).toEqual(all('old'));
    const extension = simulation.cluster.peek<ConfigMap>('core/configmaps', 'kube-system', EXTENSION);
    expect(extension?.data).toMatchObject({ own: 'kept', 'requestheader-allowed-names': '["front-proxy-client"]' });
    await simulation.cluster.delete('core/configmaps', 'kube-system', EXTENSION);
    await simulation.settle();
    expect(held(simulation)).toEqual(all('old'));
  });

  it('follows when they are others, though the manager is lost in between', async () => {
    const simulation = await start();
    await change(simulation, { bundle: 'old new' });
    expect(held(simulation)).toEqual(all('old'));
    simulation.restart();
    await simulation.settle();
    expect(held(simulation)).toEqual(all('old new'));
  });

  it('follows again when another begins to sign', async () => {
    const simulation = await start();
    await change(simulation, { bundle: 'old new', until: simulation.time + HOUR });
    await simulation.settle(HOUR / 2);
    expect(held(simulation)).toEqual(all('old new'));
    // Nobody says so: its time has come.
    simulation.rootCa = { bundle: 'new old' };
    await simulation.settle(HOUR);
    expect(held(simulation)).toEqual(all('new old'));
    await change(simulation, { bundle: 'new' });
    await simulation.settle();
    expect(held(simulation)).toEqual(all('new'));
  });

  it('writes nothing where there is nothing new', async () => {
    const simulation = await start();
    const writes = (): number =>
      [...simulation.cluster.calls].reduce((sum, [call, n]) => sum + (call.startsWith('update ') ? n : 0), 0);
    const before = writes();
    await change(simulation, { bundle: 'old' });
    await simulation.settle();
    expect(writes()).toBe(before);
  });
});
