/**
 * Tells recorded stories of a real kubelet to ours, with a real containerd, and compares what each reported. The folder with the
 * stories is given by KUBELET_STORIES; skipped without it, or where there is no root, containerd or busybox.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpClient } from '../../agent/client.ts';
import { delay, Informers } from '../../agent/informer.ts';
import { type Kubelet, startKubelet } from '../../agent/kubelet/kubelet.ts';
import { createLog } from '../../agent/log.ts';
import { type Containerd, importImages, startContainerd } from '../../agent/runtime/containerd.ts';
import { CriClient } from '../../agent/runtime/cri.ts';
import type { ContainerStatus, Pod } from '../../src/generated/types/core.v1.ts';
import { GivenCredentials } from '../support/credentials.ts';
import { FakeApi, type FakeObject } from '../support/fake-api.ts';
import { busyboxImage, writeImages } from '../support/images.ts';

const stories = process.env['KUBELET_STORIES'] ?? '';
const able =
  existsSync(stories) &&
  process.getuid?.() === 0 &&
  ['/usr/bin/containerd', '/usr/bin/ctr', '/bin/busybox', '/usr/lib/cni/bridge'].every((path) => existsSync(path));

const NODE = 'n1';
const NODE_IP = '127.0.0.8';
const BRIDGE = 'cni-zpstory';
const MAX_WAIT_MS = 60_000;

interface Step {
  method?: string;
  path?: string;
  body?: FakeObject & { stringData?: Record<string, string>; spec?: Pod['spec'] };
  wait?: number;
  settle?: string;
  quiet?: number;
}

interface Look {
  pods: object[];
  events: object[];
}

interface Story {
  name: string;
  steps: Step[];
  expect: Record<string, Look>;
}

const without = (object: object, pattern: RegExp): object =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !pattern.test(key)));

function state(value: object | undefined): object | undefined {
  const entries = Object.entries(value ?? {});
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([key, inner]) => [key, without(inner as object, /At$|containerID/)]));
}

const container = (status: ContainerStatus): object => ({
  name: status.name,
  ready: status.ready,
  started: status.started,
  restarts: (status.restartCount ?? 0) > 1 ? 'more than 1' : status.restartCount,
  image: status.image,
  state: state(status.state),
  last: state(status.lastState),
  resources: status.resources,
  allocated: status.allocatedResources,
  volumeMounts: status.volumeMounts?.map(({ name, mountPath }) => `${name} ${mountPath}`),
});

function podFacts({ metadata, status }: Pod): object {
  const types = (a: { type?: string }, b: { type?: string }): number => (a.type ?? '').localeCompare(b.type ?? '');
  return {
    name: metadata.name,
    status: {
      phase: status?.phase,
      reason: status?.reason,
      message: status?.message,
      qosClass: status?.qosClass,
      hostIP: status?.hostIP,
      podIPs: status?.podIPs?.length,
      observedGeneration: status?.observedGeneration,
      conditions: status?.conditions?.map((condition) => without(condition, /Time$/)).sort(types),
      init: status?.initContainerStatuses?.map(container),
      containers: status?.containerStatuses?.map(container),
    },
  };
}

describe.skipIf(!able)('stories of a real kubelet', { timeout: 120_000 }, () => {
  const dataDir = able ? mkdtempSync(join(tmpdir(), 'zp-story-')) : '';
  const api = new FakeApi();
  let containerd: Containerd;
  let cri: CriClient;
  let client: HttpClient;
  let informers: Informers;
  let kubelet: Kubelet;

  const inNamespace = (resource: string, namespace: string): FakeObject[] =>
    api.all(resource).filter(({ metadata }) => metadata.namespace === namespace);

  /** Uids, addresses and times are folded as the recordings have them. */
  const folded = <T>(value: T): T =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll(NODE_IP, '<ip>')
        .replace(/10\.99\.9\.\d+/g, '<ip>')
        .replace(/00000000-0000-4000-8000-\d{12}/g, '<uid>')
        .replace(/\.\.20[\d_.]+/g, '..<stamp>'),
    );

  const look = (namespace: string): Look => ({
    pods: folded(
      inNamespace('core/pods', namespace)
        .sort((a, b) => a.metadata.name.localeCompare(b.metadata.name))
        .map((pod) => podFacts(pod as unknown as Pod)),
    ),
    events: folded(
      inNamespace('core/events', namespace).map((event) => {
        const about = event['involvedObject'] as { name: string; fieldPath?: string };
        return {
          type: event['type'],
          reason: event['reason'],
          about: about.fieldPath === undefined ? about.name : `${about.name} ${about.fieldPath}`,
          message: event['message'],
        };
      }),
    ),
  });

  const settle = async (namespace: string, quietMs: number): Promise<void> => {
    let last = '';
    let since = Date.now();
    const deadline = Date.now() + MAX_WAIT_MS;
    while (Date.now() - since < quietMs && Date.now() < deadline) {
      const now = JSON.stringify(inNamespace('core/pods', namespace).map((pod) => pod['status']));
      if (now !== last) since = Date.now();
      last = now;
      await delay(100);
    }
  };

  /** Creates what the step asks for, defaulted as far as the kubelet cares. */
  const create = (namespace: string, { path = '', body }: Step): void => {
    const object = JSON.parse(JSON.stringify(body).replaceAll('$NODE', NODE)) as NonNullable<Step['body']>;
    object.metadata.namespace = namespace;
    if (object.stringData !== undefined) {
      const encoded = Object.entries(object.stringData).map(([key, value]) => [key, btoa(value)]);
      object['data'] = Object.fromEntries(encoded);
    }
    if (path.endsWith('/pods') && object.spec !== undefined) {
      object.spec.serviceAccountName = 'default';
      for (const one of [...(object.spec.containers ?? []), ...(object.spec.initContainers ?? [])]) {
        if (one.resources?.limits) one.resources.requests = { ...one.resources.limits, ...one.resources.requests };
      }
      object['status'] = { phase: 'Pending' };
    }
    api.put(`core/${path.split('/').pop()}`, object);
  };

  beforeAll(async () => {
    const log = createLog('kubelet');
    mkdirSync(join(dataDir, 'cni/net.d'), { recursive: true });
    const ipam = { type: 'host-local', dataDir: join(dataDir, 'cni/state'), ranges: [[{ subnet: '10.99.9.0/24' }]] };
    const plugins = [{ type: 'bridge', bridge: BRIDGE, isGateway: true, ipam }];
    const list = JSON.stringify({ cniVersion: '1.0.0', name: 'zpstory', plugins });
    writeFileSync(join(dataDir, 'cni/net.d/10-test.conflist'), list);
    containerd = await startContainerd({ dataDir, log });
    writeImages(join(dataDir, 'images.tar'), [busyboxImage()]);
    await importImages(containerd.socket, join(dataDir, 'images.tar'));
    await api.start();
    cri = new CriClient(containerd.socket);
    client = new HttpClient({ server: api.url, token: () => 'token' });
    informers = new Informers(client, log);
    const cluster = { dns: '10.96.0.10', domain: 'cluster.local', serviceCidr: '10.96.0.0/16' };
    const credentials = new GivenCredentials();
    const context = { client, credentials, cri, informers, log, cluster, dataDir, nodeName: NODE, nodeIp: NODE_IP };
    kubelet = await startKubelet({ context, labels: {} });
  });

  afterAll(async () => {
    await kubelet.stop({ stopPods: true });
    await informers.stop();
    cri.close();
    client.close();
    await api.stop();
    await containerd.stop();
    execFileSync('ip', ['link', 'delete', BRIDGE]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  it.each(able ? readdirSync(stories).filter((file) => file.endsWith('.json')) : [])('%s', async (file) => {
    const story = JSON.parse(readFileSync(join(stories, file), 'utf8')) as Story;
    const namespace = `cv-${story.name}`;
    for (const step of story.steps) {
      const name = step.path?.split('/').pop() ?? '';
      if (step.method === 'POST') create(namespace, step);
      else if (step.method === 'DELETE') api.markDeleted(namespace, name, 2);
      else if (step.wait !== undefined) await delay(step.wait);
      else if (step.settle !== undefined) {
        await settle(namespace, step.quiet ?? 3000);
        const have = look(namespace);
        const want = story.expect[step.settle];
        expect(have.pods).toEqual(want?.pods);
        const distinct = (events: object[] = []): string[] =>
          [...new Set(events.map((event) => JSON.stringify(event)))].sort();
        expect(distinct(have.events)).toEqual(distinct(want?.events));
      }
    }
    for (const { metadata } of inNamespace('core/pods', namespace)) api.markDeleted(namespace, metadata.name, 1);
    await expect.poll(() => inNamespace('core/pods', namespace).length).toBe(0);
  });
});
