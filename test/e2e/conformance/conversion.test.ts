/** Custom resources that a webhook in a pod converts, by the names of Kubernetes' conformance tests. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/apimachinery/meta.ts';
import type { CustomResourceDefinition } from '../../../src/generated/types/apiextensions.v1.ts';
import type { Deployment } from '../../../src/generated/types/apps.v1.ts';
import { nodeServer } from '../../support/node-server.ts';
import { importImages } from '../lab.ts';
import { isRoot } from '../support.ts';
import { Cluster } from './cluster.ts';

const GROUP = 'convert.example.org';
const NAME = 'converter';
type Note = KubeObject & { spec?: { text?: string; message?: string } };

const version = (name: string, storage: boolean): object => ({
  name,
  served: true,
  storage,
  schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
});

/** v1 has a text, v2 a message: `operator.mjs` converts them. */
const definition = (plural: string, caBundle: string): object => ({
  metadata: { name: `${plural}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural, kind: `Kind${plural}` },
    versions: [version('v1', true), version('v2', false)],
    conversion: {
      strategy: 'Webhook',
      webhook: {
        conversionReviewVersions: ['v1'],
        clientConfig: { service: { name: NAME, namespace: 'default', path: '/convert' }, caBundle },
      },
    },
  },
});

/** The webhook's pod needs a node that runs containers. */
const skip = !isRoot && process.env['CI'] !== 'true';

describe('[sig-api-machinery] CustomResourceConversionWebhook', { skip }, () => {
  let cluster: Cluster;
  let caBundle: string;

  beforeAll(async () => {
    cluster = await Cluster.start('real');
    importImages(join(cluster.plane.data, 'node/containerd/containerd.sock'));
    const server = await nodeServer({ name: NAME, namespace: 'default', program: 'operator.mjs' });
    caBundle = server.caBundle;
    for (const object of server.objects) await cluster.api.create(object as never);
    await cluster
      .existing('default')
      .of<Deployment>('apps/v1', 'deployments')
      .until(NAME, ({ status }) => status?.availableReplicas === 1, 120_000);
  });
  afterAll(() => cluster?.stop());

  const define = async (plural: string) => {
    const definitions = cluster.of<CustomResourceDefinition>('apiextensions.k8s.io/v1', 'customresourcedefinitions');
    const body = definition(plural, caBundle);
    await definitions.create(body);
    await definitions.until(`${plural}.${GROUP}`, ({ status }) =>
      (status?.conditions ?? []).some(({ type, status: value }) => type === 'Established' && value === 'True'),
    );
    const of = (name: string) => cluster.existing('default').of<Note>(`${GROUP}/${name}`, plural);
    const [v1, v2] = [of('v1'), of('v2')];
    // Whoever asks is told by a snapshot that is a second old at most.
    await expect.poll(() => v2.list().then(({ items }) => items, String)).toEqual([]);
    return { definitions, v1, v2 };
  };
  const note = (plural: string, name: string, spec: object): object => ({
    apiVersion: `${GROUP}/v1`,
    kind: `Kind${plural}`,
    metadata: { name },
    spec,
  });

  it('should be able to convert from CR v1 to CR v2', async () => {
    const { v1, v2 } = await define('ones');
    await v1.create(note('ones', 'a', { text: 'hello' }));
    // Its Service has endpoints a moment after its Deployment has replicas.
    await expect
      .poll(() => v2.get('a').catch(String))
      .toMatchObject({ apiVersion: `${GROUP}/v2`, spec: { message: 'hello' } });
  });

  it('should be able to convert a non homogeneous list of CRs', async () => {
    const { definitions, v1, v2 } = await define('lists');
    await v1.create(note('lists', 'a', { text: 'stored as v1' }));
    const versions = [version('v1', false), version('v2', true)];
    await definitions.patch(`lists.${GROUP}`, { spec: { versions } });
    await v1.create(note('lists', 'b', { text: 'stored as v2' }));
    const specs = async (of: typeof v1) => (await of.list()).items.map(({ spec }) => spec);
    expect(await specs(v1)).toEqual([{ text: 'stored as v1' }, { text: 'stored as v2' }]);
    expect(await specs(v2)).toEqual([{ message: 'stored as v1' }, { message: 'stored as v2' }]);
  });
});
