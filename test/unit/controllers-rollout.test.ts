import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/apimachinery/go-json.ts';
import { formatLabelSelector, type LabelSelector, selects } from '../../src/apimachinery/labels.ts';
import { fnv32, fnv32a, safeEncode } from '../../src/apimachinery/random.ts';
import { sameTemplate } from '../../src/controllers/deployment/revisions.ts';
import {
  fenceposts,
  maxUnavailable,
  newReplicaSetSize,
  proportionalSizes,
} from '../../src/controllers/deployment/rollout-math.ts';
import { templateHash } from '../../src/controllers/history/hash.ts';
import { revisionData } from '../../src/controllers/history/index.ts';
import { rankForDeletion } from '../../src/controllers/replicaset/ranking.ts';
import type { Deployment, ReplicaSet } from '../../src/generated/types/apps.v1.ts';
import type { Pod, PodTemplateSpec } from '../../src/generated/types/core.v1.ts';

const deployment = (replicas: number, maxSurge: number | string, unavailable: number | string): Deployment =>
  ({
    metadata: { name: 'web' },
    spec: { replicas, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable: unavailable } } },
  }) as unknown as Deployment;

const set = (name: string, replicas: number, max?: number): ReplicaSet =>
  ({
    metadata: {
      name,
      creationTimestamp: `2026-01-01T00:00:0${name}Z`,
      annotations: max === undefined ? {} : { 'deployment.kubernetes.io/max-replicas': String(max) },
    },
    spec: { replicas },
  }) as unknown as ReplicaSet;

it.each([
  [10, '25%', '25%', 3, 2],
  [1, '25%', '25%', 1, 0],
  [3, 0, 0, 0, 1],
  [3, '0%', '10%', 0, 1],
  [3, 'broken', 2, 0, 2],
  [0, '25%', 1, 0, 1],
])('%i replicas with surge %s and unavailable %s: %i, %i', (replicas, surge, down, most, least) => {
  expect(fenceposts(deployment(replicas, surge, down))).toEqual({ surge: most, unavailable: least });
});

it('never lets more be unavailable than there are', () => {
  expect(maxUnavailable(deployment(2, 1, 5))).toBe(2);
  expect(maxUnavailable(deployment(0, 1, 5))).toBe(0);
});

it.each([
  [10, 3, [10], 0, 3],
  [10, 3, [8], 3, 5],
  [10, 3, [10], 3, 3],
  [10, 20, [10], 0, 10],
])('of %i with surge %i and old %j, a new one of %i may have %i', (replicas, surge, old, size, expected) => {
  const all = [...old.map((count, i) => set(String(i), count)), set('9', size)];
  expect(newReplicaSetSize(deployment(replicas, surge, 0), all, size)).toBe(expected);
});

it.each([
  ['up', 20, 10, [8, 2], [16, 4]],
  ['down', 5, 10, [8, 2], [4, 1]],
  ['to zero', 0, 10, [8, 2], [0, 0]],
  ['by one', 6, 5, [3, 2], [4, 2]],
  ['not at all', 5, 5, [3, 2], [3, 2]],
])('scales %s in proportion', (_, replicas, before, sizes, expected) => {
  const sets = sizes.map((size, i) => set(String(i + 1), size, before));
  const result = proportionalSizes(deployment(replicas, 0, 1), sets);
  expect(sets.map((one) => result.get(one))).toEqual(expected);
});

describe('templates', () => {
  const template = (labels: Record<string, string>, image = 'a'): PodTemplateSpec =>
    ({ metadata: { labels }, spec: { containers: [{ name: 'main', image }] } }) as unknown as PodTemplateSpec;

  it('are the same but for the hash label', () => {
    expect(sameTemplate(template({ app: 'a' }), template({ app: 'a', 'pod-template-hash': 'x' }))).toBe(true);
    expect(sameTemplate(template({ app: 'a' }), template({ app: 'a' }, 'b'))).toBe(false);
  });

  it.each([
    ['', 0x811c9dc5, 0x811c9dc5],
    ['a', 0x050c5d7e, 0xe40c292c],
    ['foobar', 0x31f0b262, 0xbf9cf968],
  ])('hash %j as FNV does', (text, one, a) => expect([fnv32(text), fnv32a(text)]).toEqual([one, a]));

  it('are written as Go writes them, and hashes without letters that make words', () => {
    expect(canonicalJson({ b: ['<&>', null], a: { d: undefined, c: 1.5 } })).toBe(
      '{"a":{"c":1.5},"b":["\\u003c\\u0026\\u003e",null]}',
    );
    expect(safeEncode('1234567890')).toBe('56789bcdf4');
  });

  it('are kept in revisions in the order in which clients write them to compare', () => {
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    expect(JSON.stringify(revisionData({ spec, metadata: { name: '', labels: { b: '1', a: '2' } } }))).toBe(
      '{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"a":"2","b":"1"},"name":""},"spec":{"containers":[{"image":"i","name":"c"}]}}}}',
    );
  });

  const limits = { cpu: '0.5', memory: '128Mi' };
  const requests = { cpu: '100m', memory: '1Gi' };
  const probes = {
    livenessProbe: { httpGet: { path: '/', port: 'http' } },
    readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 5 },
  };
  const sources = [{ secret: { name: 's', optional: true } }];
  it.each<[string, string, object]>([
    ['a name and an image', '54794f4444', { spec: { containers: [{ name: 'main', image: 'a' }] } }],
    [
      'labels and quantities',
      '54f746f747',
      {
        metadata: { labels: { b: '2', a: 'ü' } },
        spec: { containers: [{ name: 'main', resources: { limits, requests } }] },
      },
    ],
    [
      'pointers, embedded types and numbers or names',
      '6bb6d59c69',
      {
        spec: {
          containers: [{ name: 'main', ...probes }],
          securityContext: {},
          dnsPolicy: 'ClusterFirst',
          terminationGracePeriodSeconds: 30,
          tolerations: [{ operator: 'Exists' }],
        },
      },
    ],
    [
      'volumes',
      '5cd8c78854',
      {
        spec: {
          containers: [],
          volumes: [
            { name: 'v', emptyDir: { sizeLimit: '1500M' } },
            { name: 'p', projected: { defaultMode: 420, sources } },
          ],
        },
      },
    ],
  ])('hash as upstream hashes them: %s', (_, hash, of) => expect(templateHash(of)).toBe(hash));

  it('hash by content, not by order, and anew after a collision', () => {
    const one = templateHash(template({ a: '1', b: '2' }));
    expect(templateHash(template({ b: '2', a: '1' }))).toBe(one);
    expect(templateHash(template({ a: '1', b: '2' }), 1)).not.toBe(one);
    expect(one).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]+$/);
  });
});

describe('deletion order', () => {
  const at = Date.parse('2026-01-01T01:00:00Z');
  const pod = (
    name: string,
    { node = 'n1', phase = 'Running', ready = true, cost = '', since = 30, restarts = 0, sidecar = 0, init = 0 } = {},
  ): Pod =>
    ({
      metadata: {
        name,
        uid: name,
        creationTimestamp: '2026-01-01T00:00:00Z',
        annotations: cost === '' ? {} : { 'controller.kubernetes.io/pod-deletion-cost': cost },
      },
      spec: { nodeName: node, initContainers: [{ name: 'side', restartPolicy: 'Always' }, { name: 'init' }] },
      status: {
        phase,
        conditions: [
          {
            type: 'Ready',
            status: ready ? 'True' : 'False',
            lastTransitionTime: new Date(at - since * 60_000).toISOString(),
          },
        ],
        containerStatuses: [{ restartCount: restarts }],
        initContainerStatuses: [
          { name: 'side', restartCount: sidecar },
          { name: 'init', restartCount: init },
        ],
      },
    }) as unknown as Pod;

  it.each<[string, Parameters<typeof pod>[1], Parameters<typeof pod>[1]]>([
    ['unassigned', { node: '' }, {}],
    ['pending', { phase: 'Pending' }, {}],
    ['not ready', { ready: false }, {}],
    ['cheap', { cost: '-5' }, {}],
    ['ready for a shorter time', { since: 1 }, {}],
    ['restarted more often', { restarts: 3 }, { sidecar: 9 }],
    ['its sidecar restarted more often', { sidecar: 3 }, { init: 9 }],
    ['ready for less than 2^45 ns, against a little more', { since: 586 }, { since: 587 }],
  ])('%s first', (_, first, second) => {
    const pods = [pod('b', second), pod('a', first)];
    expect(rankForDeletion(pods, pods, at)[0]?.metadata.name).toBe('a');
    const turned = [pod('a', second), pod('b', first)];
    expect(rankForDeletion(turned, turned, at)[0]?.metadata.name).toBe('b');
  });

  it('relieves the node that has most', () => {
    const pods = [pod('a', { node: 'n1' }), pod('b', { node: 'n2' }), pod('c', { node: 'n2' })];
    expect(rankForDeletion(pods, pods, at)[0]?.metadata.name).toBe('b');
  });
});

describe('selectors', () => {
  it.each<[string, LabelSelector, string, boolean]>([
    ['labels', { matchLabels: { a: '1' } }, 'a=1', true],
    ['in', { matchExpressions: [{ key: 'a', operator: 'In', values: ['1', '2'] }] }, 'a in (1,2)', true],
    ['not in', { matchExpressions: [{ key: 'b', operator: 'NotIn', values: ['1'] }] }, 'b notin (1)', true],
    ['exists', { matchExpressions: [{ key: 'a', operator: 'Exists' }] }, 'a', true],
    ['does not exist', { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, '!a', false],
    ['inherited name', { matchLabels: { constructor: 'x' } }, 'constructor=x', false],
  ])('%s', (_, selector, text, holds) => {
    expect(selects(selector, { a: '1' })).toBe(holds);
    expect(formatLabelSelector(selector)).toBe(text);
  });
});
