/** Pods as the API knows them, RuntimeClasses and webhook configurations, by the names of Kubernetes' conformance tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from '../../../src/generated/types/admissionregistration.v1.ts';
import type { Pod } from '../../../src/generated/types/core.v1.ts';
import type { RuntimeClass } from '../../../src/generated/types/node.v1.ts';
import { Cluster, refusal } from './cluster.ts';
import { pod, podSpec, unscheduled } from './objects.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

const podsOf = async () => (await cluster.namespace()).of<Pod>('v1', 'pods');
const isRunning = ({ status }: Pod): boolean => status?.phase === 'Running';

describe.concurrent('[sig-node] Pods', () => {
  it('should delete a collection of pods', async () => {
    const pods = await podsOf();
    for (const name of ['a', 'b', 'c']) await pods.create(pod(name, undefined, { labels: { type: 'Testing' } }));
    await pods.untilList((all) => all.length === 3 && all.every(isRunning), { labelSelector: 'type=Testing' });
    await pods.deleteCollection({ labelSelector: 'type=Testing' });
    await pods.untilList((all) => all.length === 0, { labelSelector: 'type=Testing' });
  });

  it('should patch a pod status', async () => {
    const pods = await podsOf();
    await pods.create(pod('p', unscheduled()));
    const patch = { status: { message: 'Patched by e2e test', reason: 'E2E' } };
    const { status } = await pods.patch('p', patch, { subresource: 'status' });
    expect(status).toMatchObject(patch.status);
    expect((await pods.get('p')).status).toMatchObject(patch.status);
  });

  it('should run through the lifecycle of Pods and PodStatus', async () => {
    const pods = await podsOf();
    const { metadata } = await pods.list();
    await pods.create(pod('p', undefined, { labels: { test: 'static' } }));
    await pods.until('p', isRunning);
    const image = 'registry.k8s.io/pause:3.9';
    const patch = { metadata: { labels: { test: 'patched' } }, spec: { containers: [{ name: 'main', image }] } };
    await pods.patch('p', patch, { type: 'strategic' });
    const ready = [{ type: 'Ready', status: 'False' }];
    const { status } = await pods.patch('p', { status: { conditions: ready } }, { subresource: 'status' });
    expect(status?.conditions).toMatchObject(ready);
    expect((await pods.list({ labelSelector: 'test=patched' })).items[0]?.spec?.containers?.[0]).toMatchObject({
      image,
    });
    await pods.deleteCollection({ labelSelector: 'test=patched' });
    const query = { resourceVersion: metadata.resourceVersion };
    const events = await pods.watch(query, (all) => all.at(-1)?.type === 'DELETED');
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['ADDED', 'MODIFIED', 'DELETED']));
  });
});

describe.concurrent('[sig-node] RuntimeClass', () => {
  const classes = () => cluster.of<RuntimeClass>('node.k8s.io/v1', 'runtimeclasses');
  const called = (runtimeClassName: string, more: object = {}): object => podSpec({ runtimeClassName, ...more });

  it('should reject a Pod requesting a non-existent RuntimeClass', async () => {
    const refused = await refusal((await podsOf()).create(pod('p', called('nonexistent'))));
    expect(refused).toMatchObject({ code: 403, reason: 'Forbidden' });
    expect(refused.message).toContain('RuntimeClass "nonexistent" not found');
  });

  it('should reject a Pod requesting a deleted RuntimeClass', async () => {
    await classes().create({ metadata: { name: 'deleted' }, handler: 'h' });
    await classes().delete('deleted');
    expect(await refusal((await podsOf()).create(pod('p', called('deleted'))))).toMatchObject({ reason: 'Forbidden' });
  });

  it('should schedule a Pod requesting a RuntimeClass without PodOverhead', async () => {
    await classes().create({ metadata: { name: 'plain' }, handler: 'h' });
    const pods = await podsOf();
    const made = await pods.create(pod('p', called('plain')));
    expect(made.spec?.overhead).toBeUndefined();
    await pods.until('p', ({ spec }) => !!spec?.nodeName);
  });

  it('should schedule a Pod requesting a RuntimeClass and initialize its Overhead', async () => {
    const podFixed = { cpu: '10m', memory: '1Mi' };
    await classes().create({ metadata: { name: 'heavy' }, handler: 'h', overhead: { podFixed } });
    const pods = await podsOf();
    expect((await pods.create(pod('p', called('heavy')))).spec?.overhead).toEqual(podFixed);
    await pods.until('p', ({ spec }) => !!spec?.nodeName);
    const other = pod('q', called('heavy', { overhead: { cpu: '1' } }));
    expect(await refusal(pods.create(other))).toMatchObject({ reason: 'Forbidden' });
  });
});

describe.concurrent('[sig-api-machinery] AdmissionWebhook', () => {
  const GROUP = 'admissionregistration.k8s.io/v1';
  const validating = () => cluster.of<ValidatingWebhookConfiguration>(GROUP, 'validatingwebhookconfigurations');
  const mutating = () => cluster.of<MutatingWebhookConfiguration>(GROUP, 'mutatingwebhookconfigurations');

  /** Of a webhook that nobody is ever sent to. */
  const configuration = (name: string, ...matchConditions: object[]): object => ({
    metadata: { name },
    webhooks: [
      {
        name: 'never.example.com',
        rules: [
          { operations: ['CREATE'], apiGroups: ['never.example.com'], apiVersions: ['v1'], resources: ['nothings'] },
        ],
        clientConfig: { url: 'https://never.example.com/' },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        matchConditions,
      },
    ],
  });
  const fine = { name: 'expression-1', expression: "object.metadata.namespace == 'production'" };
  const more = { name: 'expression-2', expression: "object.metadata.namespace == 'staging'" };
  const bad = { name: 'invalid-expression', expression: '... [] bad expression' };

  it('should include webhook resources in discovery documents', async () => {
    const { groups } = await cluster.api.json<{ groups: { name: string; versions: object[] }[] }>('/apis');
    const group = groups.find(({ name }) => name === 'admissionregistration.k8s.io');
    expect(group?.versions).toContainEqual({ groupVersion: GROUP, version: 'v1' });
    const { resources } = await cluster.api.json<{ resources: { name: string }[] }>(`/apis/${GROUP}`);
    const names = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
    expect(resources.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  it('should be able to create and update validating webhook configurations with match conditions', async () => {
    const made = await validating().create(configuration('v-conditions', fine));
    expect(made.webhooks?.[0]?.matchConditions).toEqual([fine]);
    const changed = await validating().update('v-conditions', ({ webhooks }) => {
      Object.assign(webhooks?.[0] ?? {}, { matchConditions: [fine, more] });
    });
    expect(changed.webhooks?.[0]?.matchConditions).toEqual([fine, more]);
  });

  it('should be able to create and update mutating webhook configurations with match conditions', async () => {
    const made = await mutating().create(configuration('m-conditions', fine));
    expect(made.webhooks?.[0]?.matchConditions).toEqual([fine]);
    const changed = await mutating().update('m-conditions', ({ webhooks }) => {
      Object.assign(webhooks?.[0] ?? {}, { matchConditions: [fine, more] });
    });
    expect(changed.webhooks?.[0]?.matchConditions).toEqual([fine, more]);
  });

  it('should reject validating webhook configurations with invalid match conditions', async () => {
    const refused = await refusal(validating().create(configuration('v-bad', fine, bad)));
    expect(refused).toMatchObject({ code: 422, message: expect.stringContaining('compilation failed') });
  });

  it('should reject mutating webhook configurations with invalid match conditions', async () => {
    const refused = await refusal(mutating().create(configuration('m-bad', fine, bad)));
    expect(refused).toMatchObject({ code: 422, message: expect.stringContaining('compilation failed') });
  });
});
