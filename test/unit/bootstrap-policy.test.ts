/** The default roles and bindings: upstream's exactly, and made whole again without touching what others have added. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureObjects, reconcilePolicy } from '../../src/api/bootstrap/ensure.ts';
import { bootstrapObjects } from '../../src/api/bootstrap/objects.ts';
import { defaultPolicy } from '../../src/api/bootstrap/rbac/index.ts';
import { type Repair, repair } from '../../src/api/bootstrap/rbac/reconcile.ts';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import { FakeCluster } from '../../src/controllers/client/fake.ts';
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '../../src/generated/types/rbac.v1.ts';

const RECORDINGS =
  process.env['ZEROPLANE_RECORDINGS'] ?? new URL('../../../shared/fixtures/recorded', import.meta.url).pathname;
const folder = join(RECORDINGS, 'bootstrap');

describe.skipIf(!existsSync(folder))('what a real server makes', () => {
  const key = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;
  const stripped = ({ apiVersion: _, kind: __, status: ___, ...rest }: KubeObject & { status?: unknown }): object =>
    'rules' in rest && rest.rules === null ? { ...rest, rules: undefined } : rest;

  it.each([...defaultPolicy, ...bootstrapObjects('')])('%s', (id, objects) => {
    const file = join(folder, `${id.split('/')[1]}.json`);
    if (!existsSync(file)) return;
    const recorded = JSON.parse(readFileSync(file, 'utf8')) as (KubeObject & { status?: unknown })[];
    const ours = new Map(objects.map((object) => [key(object), object]));
    expect([...ours.keys()].sort()).toEqual(recorded.map(key).sort());
    if (id === 'scheduling.k8s.io/priorityclasses') return;
    for (const object of recorded) expect(stripped(ours.get(key(object)) as KubeObject)).toEqual(stripped(object));
  });
});

const PODS: PolicyRule = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] };
const role = (rules: PolicyRule[], autoupdate = 'true', labels = {}): ClusterRole & KubeObject => ({
  metadata: {
    name: 'r',
    labels,
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': autoupdate },
  },
  rules,
});
const binding = (name: string, ...users: string[]): ClusterRoleBinding & KubeObject => ({
  metadata: { name: 'b' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  subjects: users.map((user) => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user })),
});
const aggregated = (...labels: string[]): ClusterRole & KubeObject => ({
  metadata: { name: 'a' },
  aggregationRule: { clusterRoleSelectors: labels.map((label) => ({ matchLabels: { [label]: 'true' } })) },
});

describe('repair', () => {
  const rules = (done: Repair): unknown => (done.do === 'update' ? (done.object as ClusterRole).rules : done.do);
  const WIDER: PolicyRule = { verbs: ['*'], apiGroups: ['*'], resources: ['pods', 'nodes'] };
  const LIST: PolicyRule = { verbs: ['list'], apiGroups: [''], resources: ['pods'] };

  it.each<[string, ClusterRole & KubeObject, unknown]>([
    ['what is whole', role([PODS]), 'nothing'],
    ['what grants more', role([WIDER]), 'nothing'],
    ['what lacks a verb', role([{ ...PODS, verbs: ['get'] }]), [{ ...PODS, verbs: ['get'] }, LIST]],
    ['what grants only one name', role([{ ...PODS, resourceNames: ['x'] }]), 3],
    ['what is to be left alone', role([], 'false'), 'nothing'],
  ])('%s', (_, existing, done) => {
    const found = rules(repair(role([PODS]), existing));
    if (typeof done === 'number') expect(found).toHaveLength(done);
    else expect(found).toEqual(done);
  });

  it('adds labels, and keeps those that there are', () => {
    const done = repair(role([], 'true', { a: 'ours', b: 'ours' }), role([], 'true', { b: 'theirs', c: 'theirs' }));
    expect(done.do === 'update' && done.object.metadata.labels).toEqual({ a: 'ours', b: 'theirs', c: 'theirs' });
  });

  it('adds subjects and selectors, and replaces a binding to another role', () => {
    const subjects = repair(binding('x', 'a', 'b'), binding('x', 'c', 'a'));
    expect(subjects.do === 'update' && (subjects.object as ClusterRoleBinding).subjects?.map((s) => s.name)).toEqual([
      'c',
      'a',
      'b',
    ]);
    const selectors = repair(aggregated('one', 'two'), aggregated('two', 'three'));
    expect(
      selectors.do === 'update' && (selectors.object as ClusterRole).aggregationRule?.clusterRoleSelectors,
    ).toEqual(['two', 'three', 'one'].map((label) => ({ matchLabels: { [label]: 'true' } })));
    expect(repair(binding('x', 'a'), binding('y', 'a')).do).toBe('replace');
    expect(repair(binding('x', 'a'), undefined).do).toBe('create');
  });
});

describe('a cluster', () => {
  const policyOf = async (client: FakeCluster) =>
    new Map(await Promise.all(defaultPolicy.map(async ([id]) => [id, (await client.list(id)).items] as const)));

  it('gets the policy, and what somebody took from it', async () => {
    const client = new FakeCluster();
    expect(await reconcilePolicy(client, await policyOf(client))).toBe(true);
    expect(await reconcilePolicy(client, await policyOf(client))).toBe(false);
    const id = 'rbac.authorization.k8s.io/clusterrolebindings';
    await client.patch(id, '', 'system:discovery', 'merge', { subjects: [] });
    await client.delete('rbac.authorization.k8s.io/clusterroles', '', 'view');
    expect(await reconcilePolicy(client, await policyOf(client))).toBe(true);
    expect((await client.get<ClusterRoleBinding & KubeObject>(id, '', 'system:discovery'))?.subjects).toHaveLength(1);
    expect(await client.get('rbac.authorization.k8s.io/clusterroles', '', 'view')).toBeDefined();
  });

  it('gets its first objects once, however often it is tried', async () => {
    const client = new FakeCluster();
    await ensureObjects(client, bootstrapObjects('CA'));
    const { resourceVersion } = await client.list('apiregistration.k8s.io/apiservices');
    await ensureObjects(client, bootstrapObjects('CA'));
    expect((await client.list('apiregistration.k8s.io/apiservices')).resourceVersion).toBe(resourceVersion);
    const found = await client.get<KubeObject & { data?: object }>(
      'core/configmaps',
      'kube-system',
      'extension-apiserver-authentication',
    );
    expect(found?.data).toMatchObject({
      'client-ca-file': 'CA',
      'requestheader-client-ca-file': 'CA',
      'requestheader-allowed-names': '["front-proxy-client"]',
    });
  });
});
