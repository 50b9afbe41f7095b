/** Admission through the whole API server: what is judged when objects are made, and what when they change. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { app } from '../../src/api/app.ts';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';

const around = surroundings(env as unknown as Env);
const NS = '/api/v1/namespaces/adm';
let token = '';

interface Answer {
  code: number;
  message: string | undefined;
  warnings: string | null;
  object: KubeObject & Record<string, never>;
}

async function send(method: string, path: string, body?: object, type = 'application/json'): Promise<Answer> {
  const init = { method, headers: { authorization: `Bearer ${token}`, 'content-type': type } };
  const request = new Request(
    `https://api${path}`,
    body === undefined ? init : { ...init, body: JSON.stringify(body) },
  );
  const response = await app.fetch(request, { around });
  const object = (await response.json()) as Answer['object'];
  const { message } = object as { message?: string };
  return { code: response.status, message, warnings: response.headers.get('warning'), object };
}

const merge = (path: string, body: object): Promise<Answer> =>
  send('PATCH', path, body, 'application/merge-patch+json');

async function made(path: string, body: object): Promise<Answer['object']> {
  const answer = await send('POST', path, body);
  if (answer.code !== 201) throw new Error(`${path}: ${answer.message}`);
  return answer.object;
}

const podOf = (name: string, spec: object = {}, more: object = {}): object => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'x', ...more }], ...spec },
});

beforeAll(async () => {
  const { token: minted } = await around
    .cluster('default')
    .mint({ user: 'admin', groups: ['system:masters'], ttlSeconds: 600 });
  token = minted;
  await made('/api/v1/namespaces', { metadata: { name: 'adm' } });
  await made(`${NS}/serviceaccounts`, { metadata: { name: 'default' } });
});

describe('ResourceQuota', () => {
  const used = async () => (await send('GET', `${NS}/resourcequotas/q`)).object['status']?.['used'];

  it('charges what is made and what grows, and refuses what is too much', async () => {
    const hard = { 'requests.storage': '3Gi', 'services.loadbalancers': '1', 'count/services': '9', cpu: '1' };
    await made(`${NS}/resourcequotas`, { metadata: { name: 'q' }, spec: { hard } });
    const zeros = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']));
    await merge(`${NS}/resourcequotas/q/status`, { status: { hard, used: zeros } });

    const spec = {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'gold',
      resources: { requests: { storage: '1Gi' } },
    };
    await made(`${NS}/persistentvolumeclaims`, { metadata: { name: 'data' }, spec });
    await made(`${NS}/services`, { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } });
    expect(await used()).toMatchObject({
      'requests.storage': '1Gi',
      'services.loadbalancers': '0',
      'count/services': '1',
    });

    expect((await merge(`${NS}/services/s`, { spec: { type: 'LoadBalancer' } })).code).toBe(200);
    expect(await used()).toMatchObject({ 'services.loadbalancers': '1', 'count/services': '1' });
    const second = await send('POST', `${NS}/services`, {
      metadata: { name: 't' },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    });
    expect(second.message).toBe(
      'services "t" is forbidden: exceeded quota: q, requested: services.loadbalancers=1, used: services.loadbalancers=1, limited: services.loadbalancers=1',
    );

    expect((await send('POST', `${NS}/pods`, podOf('silent'))).message).toBe(
      'pods "silent" is forbidden: failed quota: q: must specify cpu for: c',
    );
    await made(`${NS}/pods`, podOf('small', {}, { resources: { requests: { cpu: '400m' } } }));
    const resize = (cpu: string) =>
      send(
        'PATCH',
        `${NS}/pods/small/resize`,
        { spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }] } },
        'application/strategic-merge-patch+json',
      );
    expect((await resize('2')).message).toContain(
      'exceeded quota: q, requested: cpu=1600m, used: cpu=400m, limited: cpu=1',
    );
    expect((await resize('600m')).code).toBe(200);
    expect(await used()).toMatchObject({ cpu: '600m' });

    const dry = await send('POST', `${NS}/services?dryRun=All`, {
      metadata: { name: 'dry' },
      spec: { ports: [{ port: 80 }] },
    });
    expect(dry.code).toBe(201);
    expect(await used()).toMatchObject({ 'count/services': '1' });
    // What is invalid is not charged.
    expect(
      (await send('POST', `${NS}/services`, { metadata: { name: 'bad' }, spec: { ports: [{ port: 0 }] } })).code,
    ).toBe(422);
    expect(await used()).toMatchObject({ 'count/services': '1' });
    await send('DELETE', `${NS}/resourcequotas/q`);
  });
});

describe('PersistentVolumeClaimResize and LimitRanger', () => {
  const grow = (storage: string) =>
    merge(`${NS}/persistentvolumeclaims/data`, { spec: { resources: { requests: { storage } } } });

  it('lets bound claims of willing classes grow, within the range', async () => {
    expect((await grow('2Gi')).code).toBe(422);
    await merge(`${NS}/persistentvolumeclaims/data/status`, { status: { phase: 'Bound' } });
    const unwilling =
      'persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
    expect((await grow('2Gi')).message).toBe(unwilling);
    await made('/apis/storage.k8s.io/v1/storageclasses', {
      metadata: { name: 'gold' },
      provisioner: 'x',
      allowVolumeExpansion: true,
    });
    expect(await grow('2Gi')).toMatchObject({ code: 200 });
    const limits = [{ type: 'PersistentVolumeClaim', max: { storage: '3Gi' } }];
    await made(`${NS}/limitranges`, { metadata: { name: 'l' }, spec: { limits } });
    expect((await grow('4Gi')).message).toBe(
      'persistentvolumeclaims "data" is forbidden: maximum storage usage per PersistentVolumeClaim is 3Gi, but request is 4Gi',
    );
    expect((await grow('3Gi')).code).toBe(200);
    await send('DELETE', `${NS}/limitranges/l`);
  });
});

describe('NamespaceLifecycle', () => {
  it('keeps the namespaces that every cluster has', async () => {
    expect((await send('DELETE', '/api/v1/namespaces/default')).message).toBe(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    );
  });
});

describe('PodSecurity', () => {
  const label = (labels: object) => merge(NS, { metadata: { labels } });
  const ENFORCE = 'pod-security.kubernetes.io/enforce';

  it('tells who makes a namespace stricter which of its pods would not be let in', async () => {
    await made(`${NS}/pods`, podOf('net', { hostNetwork: true }));
    await made(`${NS}/pods`, podOf('net2', { hostNetwork: true }));
    await made(
      `${NS}/pods`,
      podOf('pid', { hostPID: true, hostNetwork: true }, { ports: [{ containerPort: 1, hostPort: 1 }] }),
    );
    const { warnings } = await label({ [ENFORCE]: 'baseline' });
    expect(warnings).toBe(
      [
        '299 - "existing pods in namespace \\"adm\\" violate the new PodSecurity enforce level \\"baseline:latest\\""',
        '299 - "net (and 1 other pod): host namespaces"',
        '299 - "pid: host namespaces, hostPort"',
      ].join(', '),
    );
    expect((await label({ other: 'x' })).warnings).toBeNull();
    expect((await label({ [ENFORCE]: 'privileged' })).warnings).toBeNull();
  });

  it('judges a pod again when what runs in it changes, and only then', async () => {
    await label({ [ENFORCE]: 'baseline' });
    expect((await merge(`${NS}/pods/net`, { metadata: { labels: { a: 'b' } } })).code).toBe(200);
    const containers = [{ name: 'c', image: 'y' }];
    const image = await send(
      'PATCH',
      `${NS}/pods/net`,
      { spec: { containers } },
      'application/strategic-merge-patch+json',
    );
    expect(image.message).toContain('pods "net" is forbidden: violates PodSecurity "baseline:latest": host namespaces');
    const ephemeralContainers = [{ name: 'debug', image: 'z', securityContext: { privileged: true } }];
    const debug = await send(
      'PATCH',
      `${NS}/pods/small/ephemeralcontainers`,
      { spec: { ephemeralContainers } },
      'application/strategic-merge-patch+json',
    );
    expect(debug.message).toContain(
      'violates PodSecurity "baseline:latest": privileged (container "debug" must not set',
    );
  });

  it('warns of templates by what is enforced, on changes too', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
    const path = '/apis/apps/v1/namespaces/adm/deployments';
    await made(path, { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } });
    const change = await merge(`${path}/d`, { spec: { template: { spec: { hostNetwork: true } } } });
    expect(change.code).toBe(200);
    expect(change.warnings).toContain(
      'would violate PodSecurity \\"baseline:latest\\": host namespaces (hostNetwork=true)',
    );
    await label({ [ENFORCE]: null });
  });
});

describe('Priority', () => {
  const CLASSES = '/apis/scheduling.k8s.io/v1/priorityclasses';

  it('has one class for all that name none', async () => {
    await made(CLASSES, { metadata: { name: 'usual' }, value: 7, globalDefault: true, preemptionPolicy: 'Never' });
    const second = await send('POST', CLASSES, { metadata: { name: 'other' }, value: 8, globalDefault: true });
    expect(second.message).toBe(
      'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
    );
    expect((await merge(`${CLASSES}/usual`, { description: 'x' })).code).toBe(200);
    const pod = await made(`${NS}/pods`, podOf('prior'));
    expect(pod['spec']).toMatchObject({ priorityClassName: 'usual', priority: 7, preemptionPolicy: 'Never' });
    expect(
      (await send('POST', `${NS}/pods`, podOf('eager', { preemptionPolicy: 'PreemptLowerPriority' }))).message,
    ).toBe(
      'pods "eager" is forbidden: the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never from the given PriorityClass name',
    );
    await send('DELETE', `${CLASSES}/usual`);
  });

  it('stays as it is when a client leaves it out', async () => {
    const { object } = await send('GET', `${NS}/pods/prior`);
    const { priority: _, preemptionPolicy: __, ...spec } = object['spec'] as Record<string, unknown>;
    expect(await send('PUT', `${NS}/pods/prior`, { ...object, spec })).toMatchObject({
      code: 200,
      object: { spec: { priority: 7 } },
    });
  });
});

describe('PodTopologyLabels', () => {
  it('tells a pod where its node is', async () => {
    const labels = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r', other: 'o' };
    await made('/api/v1/nodes', { metadata: { name: 'n', labels } });
    const bound = {
      metadata: { name: 'prior', labels: { 'topology.kubernetes.io/region': 'mine' } },
      target: { kind: 'Node', name: 'n' },
    };
    expect((await send('POST', `${NS}/pods/prior/binding`, bound)).code).toBe(201);
    const { object } = await send('GET', `${NS}/pods/prior`);
    expect(object.metadata.labels).toEqual({
      'topology.kubernetes.io/zone': 'z',
      'topology.kubernetes.io/region': 'mine',
    });
    const here = await made(`${NS}/pods`, podOf('here', { nodeName: 'n' }));
    expect(here.metadata.labels).toEqual({ 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r' });
  });
});
