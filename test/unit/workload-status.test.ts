/** What statuses of workloads may say, and the annotation that an update of a DaemonSet can fail in. */
import { describe, expect, it } from 'vitest';
import { toMessage } from '../../src/apimachinery/field.ts';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import { resourceByKind } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';

function resourceOf(group: string, kind: string): Resource {
  const found = resourceByKind(group, 'v1', kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found;
}

interface WithStatus extends KubeObject {
  status?: object;
}

function statusErrors(resource: Resource, now: object, old: object = {}): string[] {
  const strategy = resource.subresources?.find(({ name }) => name === 'status')?.strategy;
  const objectOf = (status: object): WithStatus => ({ metadata: { name: 'x' }, status });
  const object = objectOf(now);
  strategy?.prepareForUpdate(object, objectOf(old));
  return strategy?.validateUpdate?.(object, objectOf(old)).map(toMessage) ?? [];
}

describe('statuses of workloads', () => {
  const apps = (kind: string) => resourceOf('apps', kind);

  it.each<[string, Resource, object, string[]]>([
    ['Deployment', apps('Deployment'), { replicas: 3, updatedReplicas: 3, readyReplicas: 2, availableReplicas: 2 }, []],
    [
      'Deployment',
      apps('Deployment'),
      { replicas: 1, updatedReplicas: 2, readyReplicas: -1 },
      [
        'status.readyReplicas: Invalid value: -1: must be greater than or equal to 0',
        'status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas',
        'status.availableReplicas: Invalid value: 0: cannot be greater than readyReplicas',
      ],
    ],
    [
      'ReplicaSet',
      apps('ReplicaSet'),
      { replicas: 1, fullyLabeledReplicas: 2 },
      ['status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas'],
    ],
    [
      'ReplicationController',
      resourceOf('', 'ReplicationController'),
      { replicas: -1 },
      [
        'status.replicas: Invalid value: -1: must be greater than or equal to 0',
        ...['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'].map(
          (field) => `status.${field}: Invalid value: 0: cannot be greater than status.replicas`,
        ),
      ],
    ],
    [
      'StatefulSet',
      apps('StatefulSet'),
      { replicas: 2, readyReplicas: 1, availableReplicas: 2 },
      ['status.availableReplicas: Invalid value: 2: cannot be greater than status.readyReplicas'],
    ],
    [
      'DaemonSet',
      apps('DaemonSet'),
      { numberReady: -1 },
      ['status.numberReady: Invalid value: -1: must be greater than or equal to 0'],
    ],
  ])('%s', (_, resource, status, expected) => {
    expect(statusErrors(resource, status)).toEqual(expected);
  });

  it('count no collision back', () => {
    for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet']) {
      expect(statusErrors(apps(kind), { collisionCount: 2 }, { collisionCount: 1 })).toEqual([]);
      for (const now of [{ collisionCount: 1 }, {}]) {
        expect(statusErrors(apps(kind), now, { collisionCount: 2 })).toEqual([
          `status.collisionCount: Invalid value: ${now.collisionCount ?? 0}: cannot be decremented`,
        ]);
      }
    }
  });
});

describe("a DaemonSet's generation of its template", () => {
  const KEY = 'deprecated.daemonset.template.generation';
  const settled = (value: string): string | undefined => {
    const object: KubeObject = { metadata: { name: 'x', annotations: { [KEY]: value } } };
    resourceOf('apps', 'DaemonSet').strategy.default?.(object);
    return object.metadata.annotations?.[KEY];
  };

  it.each([
    ['7', '7'],
    ['+7', '7'],
    ['-07', '-7'],
    ['9223372036854775807', '9223372036854775807'],
  ])('%s is read', (text, expected) => {
    expect(settled(text)).toBe(expected);
  });

  it.each([
    ['1e3', 'invalid syntax'],
    ['', 'invalid syntax'],
    ['9223372036854775808', 'value out of range'],
  ])('%j is refused', (text, why) => {
    const message = `DaemonSet in version "v1" cannot be handled as a DaemonSet: strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`;
    expect(() => settled(text)).toThrow(message);
  });
});
