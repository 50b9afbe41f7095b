import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import { findResource, resourceById, resourceByKind, resources } from '../../src/resources/index.ts';
import { ALL_VERBS, storeOf } from '../../src/resources/resource.ts';

const RECORDINGS =
  process.env['ZEROPLANE_RECORDINGS'] ?? new URL('../../../shared/fixtures/recorded', import.meta.url).pathname;
const discovery = join(RECORDINGS, 'discovery', 'plain.json');

interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  kind: string;
  group?: string;
  version?: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
}

/** What discovery says of a group version, from the list of resources. */
function describeGroupVersion(group: string, version: string): ApiResource[] {
  return resources
    .filter((resource) => resource.group === group && resource.version === version)
    .flatMap((resource) => {
      const { resource: name, singular, namespaced, kind, verbs = ALL_VERBS, shortNames, categories } = resource;
      const subresources = (resource.subresources ?? []).map((sub) => ({
        name: `${name}/${sub.name}`,
        singularName: '',
        namespaced,
        kind: sub.kind,
        ...(sub.group === undefined ? {} : { group: sub.group, version: sub.version }),
        verbs: [...sub.verbs],
      }));
      const own: ApiResource = { name, singularName: singular, namespaced, kind, verbs: [...verbs] };
      if (shortNames !== undefined) own.shortNames = [...shortNames];
      if (categories !== undefined) own.categories = [...categories];
      return [own, ...subresources];
    });
}

describe.skipIf(!existsSync(discovery))('the list of resources is what discovery says', () => {
  const recorded = existsSync(discovery)
    ? (JSON.parse(readFileSync(discovery, 'utf8')) as { groups: Record<string, { resources?: ApiResource[] }> })
    : { groups: {} };
  const groupVersions = Object.entries(recorded.groups).filter(([, list]) => list.resources !== undefined);
  it.each(groupVersions)('%s', (path, list) => {
    const [first = '', second] = path.replace(/^\/apis?\//, '').split('/');
    const expected = (list.resources ?? []).map(
      ({ storageVersionHash: _, ...rest }: ApiResource & { storageVersionHash?: string }) => rest,
    );
    const actual = second === undefined ? describeGroupVersion('', first) : describeGroupVersion(first, second);
    expect(actual).toEqual(expected);
  });
});

describe('looking resources up', () => {
  it('by id, path and kind', () => {
    expect(resourceById('core/pods')?.kind).toBe('Pod');
    expect(resourceById('autoscaling/horizontalpodautoscalers')?.version).toBe('v2');
    expect(findResource('apps', 'v1', 'deployments')?.kind).toBe('Deployment');
    expect(resourceByKind('rbac.authorization.k8s.io', 'v1', 'Role')?.resource).toBe('roles');
    expect(findResource('', 'v1', '__proto__')).toBeUndefined();
  });

  it('names the store that keeps them', () => {
    const events = findResource('events.k8s.io', 'v1', 'events');
    expect(events && storeOf(events)).toBe('core/events');
  });
});

interface LoosePod extends KubeObject {
  spec: Record<string, unknown>;
  status?: Record<string, unknown>;
}

const podOf = (spec: Record<string, unknown>, status?: Record<string, unknown>): LoosePod => ({
  metadata: { name: 'p', namespace: 'default' },
  spec: { containers: [{ name: 'main', image: 'example/app:1' }], ...spec },
  ...(status === undefined ? {} : { status }),
});

describe('pods', () => {
  const strategy = resourceById('core/pods')?.strategy;

  it.each([
    ['no node', podOf({}), undefined, 0],
    ['asked for', podOf({ nodeName: 'n' }), 5, 5],
    ['from the spec', podOf({ nodeName: 'n', terminationGracePeriodSeconds: 7 }), undefined, 7],
    ['ended', podOf({ nodeName: 'n' }, { phase: 'Failed' }), undefined, 0],
    ['negative', podOf({ nodeName: 'n' }), -3, 1],
    ['at once', podOf({ nodeName: 'n' }), 0, 0],
  ])('grace period: %s', (_, pod, requested, expected) => {
    expect(strategy?.gracePeriodSeconds?.(pod, requested)).toBe(expected);
  });

  it.each([
    ['BestEffort', {}],
    ['Burstable', { requests: { cpu: '1' } }],
    ['Burstable', { limits: { cpu: '1' } }],
    ['Guaranteed', { limits: { cpu: '1', memory: '1Gi' } }],
    ['Guaranteed', { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } }],
  ])('quality of service: %s', (expected, requirements) => {
    const pod = podOf({ containers: [{ name: 'main', image: 'x', resources: requirements }] });
    strategy?.default?.(pod);
    strategy?.prepareForCreate?.(pod);
    expect(pod.status).toEqual({ phase: 'Pending', qosClass: expected });
  });

  it('defaults are idempotent', () => {
    const pod = podOf({ volumes: [{ name: 'v' }] });
    strategy?.default?.(pod);
    const once = structuredClone(pod);
    strategy?.default?.(pod);
    expect(pod).toEqual(once);
  });

  it('survive nonsense that a schema would let through', () => {
    const pod = podOf({ containers: [], volumes: [{ name: '__proto__' }], nodeSelector: { constructor: 'x' } });
    strategy?.default?.(pod);
    expect(strategy?.validate?.(pod).map((error) => error.field)).toContain('spec.containers');
  });
});
