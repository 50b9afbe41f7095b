/** Bootstrap tokens that end, and the description of the cluster that they sign. */
import { compactVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { bootstrapTokenSecret, type TokenOptions } from '../../src/apimachinery/bootstrap-token.ts';
import type { Json } from '../../src/apimachinery/meta.ts';
import { bootstrapSignerController } from '../../src/controllers/bootstrap-signer/index.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { tokenCleanerController } from '../../src/controllers/token-cleaner/index.ts';
import type { ConfigMap, Secret } from '../../src/generated/types/core.v1.ts';

const HOUR = 3_600_000;
const KUBECONFIG = 'kind: Config\n';

const start = () => new Simulation({ controllers: [bootstrapSignerController, tokenCleanerController] });
const add = (sim: Simulation, token: string, options: TokenOptions = {}) =>
  sim.cluster.create<Secret>('core/secrets', bootstrapTokenSecret(token, options) as Secret);
const inAnHour = (sim: Simulation): string => new Date(sim.time + HOUR).toISOString();
const tokens = (sim: Simulation) => sim.cluster.all<Secret>('core/secrets').map(({ metadata }) => metadata.name);

describe('token-cleaner', () => {
  it.each<[string, (sim: Simulation) => TokenOptions, left: boolean]>([
    ['has not ended', (sim) => ({ expiration: inAnHour(sim) }), true],
    ['does not end', () => ({}), true],
    ['has ended', (sim) => ({ expiration: new Date(sim.time - 1).toISOString() }), false],
    ['nobody knows the end of', () => ({ expiration: 'tomorrow' }), false],
  ])('leaves or takes a token that %s', async (_, options, left) => {
    const sim = start();
    await add(sim, 'abcdef.0123456789abcdef', options(sim));
    await sim.settle();
    expect(tokens(sim)).toHaveLength(left ? 1 : 0);
  });

  it('takes a token when it ends, and no other kind of Secret', async () => {
    const sim = start();
    const expiration = inAnHour(sim);
    await add(sim, 'abcdef.0123456789abcdef', { expiration });
    const other = bootstrapTokenSecret('aaaaaa.0123456789abcdef', { expiration });
    await sim.cluster.create<Secret>('core/secrets', { ...other, type: 'Opaque' } as Secret);
    await sim.settle(HOUR - 1);
    expect(tokens(sim)).toHaveLength(2);
    await sim.settle(2);
    expect(tokens(sim)).toEqual(['bootstrap-token-aaaaaa']);
  });
});

describe('bootstrap-signer', () => {
  const describeCluster = (sim: Simulation, data: Record<string, string> = { kubeconfig: KUBECONFIG }) =>
    sim.cluster.create<ConfigMap>('core/configmaps', {
      metadata: { namespace: 'kube-public', name: 'cluster-info' },
      data,
    });
  const read = (sim: Simulation) =>
    sim.cluster.peek<ConfigMap>('core/configmaps', 'kube-public', 'cluster-info')?.data ?? {};
  const TOKEN = 'abcdef.0123456789abcdef';

  it('signs so that any library of JWS takes it', async () => {
    const sim = start();
    await describeCluster(sim);
    await add(sim, TOKEN);
    await sim.settle();
    const [header, , signature] = (read(sim)['jws-kubeconfig-abcdef'] ?? '').split('.');
    const whole = `${header}.${Buffer.from(KUBECONFIG).toString('base64url')}.${signature}`;
    const { protectedHeader } = await compactVerify(whole, new TextEncoder().encode('0123456789abcdef'));
    expect(protectedHeader).toEqual({ alg: 'HS256', kid: 'abcdef' });
  });

  it('follows tokens and text, and takes away what is not signed by a token', async () => {
    const sim = start();
    await describeCluster(sim, { kubeconfig: KUBECONFIG, note: 'kept', 'jws-kubeconfig-zzzzzz': 'forged' });
    await add(sim, TOKEN);
    await add(sim, 'bbbbbb.0123456789abcdef', { usages: ['authentication'] });
    await add(sim, 'cccccc.0123456789abcdef', { expiration: inAnHour(sim) });
    await sim.settle();
    const keys = ['jws-kubeconfig-abcdef', 'jws-kubeconfig-cccccc', 'kubeconfig', 'note'];
    expect(Object.keys(read(sim)).sort()).toEqual(keys);
    const before = read(sim)['jws-kubeconfig-abcdef'];
    const changed = { data: { kubeconfig: 'kind: Other\n' } } as unknown as Json;
    await sim.cluster.patch('core/configmaps', 'kube-public', 'cluster-info', 'merge', changed);
    await sim.settle(HOUR + 1);
    expect(Object.keys(read(sim)).sort()).toEqual(['jws-kubeconfig-abcdef', 'kubeconfig', 'note']);
    expect(read(sim)['jws-kubeconfig-abcdef']).not.toBe(before);
    await sim.cluster.delete('core/secrets', 'kube-system', 'bootstrap-token-abcdef');
    await sim.settle();
    expect(Object.keys(read(sim)).sort()).toEqual(['kubeconfig', 'note']);
  });

  it('leaves a ConfigMap without a kubeconfig, and writes nothing that is right already', async () => {
    const sim = start();
    await describeCluster(sim, { note: 'kept' });
    await add(sim, TOKEN);
    await sim.settle();
    expect(read(sim)).toEqual({ note: 'kept' });
    expect(sim.cluster.calls.get('update core/configmaps')).toBeUndefined();
  });
});
