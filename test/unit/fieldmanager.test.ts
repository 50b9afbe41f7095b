/** The field manager on objects small enough to see through. */
import { describe, expect, it } from 'vitest';
import { StatusError } from '../../src/apimachinery/errors.ts';
import { compareElements, formatPath } from '../../src/apimachinery/fieldmanager/element.ts';
import * as sets from '../../src/apimachinery/fieldmanager/fieldset.ts';
import {
  applyConfiguration,
  type FieldSet,
  type MapType,
  type Subject,
  setOf,
  trackUpdate,
  typeOfObject,
  typeOfOpenApi,
} from '../../src/apimachinery/fieldmanager/index.ts';
import { capManagers, decodeManagers } from '../../src/apimachinery/fieldmanager/managers.ts';
import { merge } from '../../src/apimachinery/fieldmanager/merge.ts';
import { parentEntries, scaleEntries } from '../../src/apimachinery/fieldmanager/scale.ts';
import { typeOfMessage } from '../../src/apimachinery/fieldmanager/types.ts';
import type { Json, JsonObject, KubeObject, ManagedFieldsEntry } from '../../src/apimachinery/meta.ts';
import { schemaByName, schemaFor } from '../../src/apimachinery/schema/index.ts';

const T0 = '2026-01-01T00:00:00Z';
const T1 = '2026-01-01T00:01:00Z';

const typeOf = (apiVersion: string, kind: string): MapType => typeOfObject(schemaFor(apiVersion, kind)!);
const configMaps: Subject = { type: typeOf('v1', 'ConfigMap'), apiVersion: 'v1', subresource: '', resetFields: {} };
const status = setOf(['f:status']);
const deployments: Subject = {
  type: typeOf('apps/v1', 'Deployment'),
  apiVersion: 'apps/v1',
  subresource: '',
  resetFields: status,
};

const configMap = (data: Record<string, string>, metadata: object = {}): KubeObject & { data: typeof data } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', ...metadata } as KubeObject['metadata'],
  data,
});

function applying(live: KubeObject | undefined, data: Record<string, string>, manager: string, force = false, at = T0) {
  const config = configMap(data) as unknown as JsonObject;
  return applyConfiguration(configMaps, 'ConfigMap', live, config, { manager, force, at }) as ReturnType<
    typeof configMap
  >;
}

const ownersOf = (object: KubeObject): Record<string, unknown> =>
  Object.fromEntries((object.metadata.managedFields ?? []).map((e) => [`${e.manager} ${e.operation}`, e.fieldsV1]));

function refusal(run: () => unknown): StatusError['status'] {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error.status;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('field sets', () => {
  const a: FieldSet = { 'f:a': {}, 'f:b': { '.': {}, 'f:c': {} } };

  it('are united, subtracted and intersected by path', () => {
    expect(sets.union(a, { 'f:b': { 'f:d': {} } })).toEqual({ 'f:a': {}, 'f:b': { '.': {}, 'f:c': {}, 'f:d': {} } });
    expect(sets.union({ 'f:b': { 'f:c': {} } }, { 'f:b': {} })).toEqual({ 'f:b': { '.': {}, 'f:c': {} } });
    expect(sets.difference(a, { 'f:b': {} })).toEqual({ 'f:a': {}, 'f:b': { 'f:c': {} } });
    expect(sets.difference(a, { 'f:b': { 'f:c': {} } })).toEqual({ 'f:a': {}, 'f:b': {} });
    expect(sets.recursiveDifference(a, { 'f:b': {} })).toEqual({ 'f:a': {} });
    expect(sets.intersection(a, { 'f:a': {}, 'f:b': { 'f:c': {} } })).toEqual({ 'f:a': {}, 'f:b': { 'f:c': {} } });
  });

  it('are left as they are by what changes nothing', () => {
    expect(sets.union(a, { 'f:a': {} })).toBe(a);
    expect(sets.difference(a, { 'f:x': {} })).toBe(a);
    expect(sets.intersection(a, a)).toBe(a);
  });

  it('are refused from clients when they make no sense', () => {
    for (const wrong of [null, [], 'x', { 'f:a': null }, { a: {} }, { 'k:x': {} }, { 'i:x': {} }]) {
      expect(sets.parseFieldsV1(wrong), JSON.stringify(wrong)).toBeUndefined();
    }
    expect(JSON.stringify(sets.parseFieldsV1({ 'v:"b"': {}, 'f:z': {}, 'k:{"n":"x"}': {}, 'f:a': {} }))).toBe(
      '{"f:a":{},"f:z":{},"k:{\\"n\\":\\"x\\"}":{},"v:\\"b\\"":{}}',
    );
  });

  it('order elements as upstream does', () => {
    const ports = ['k:{"port":443}', 'k:{"port":80}', 'f:b', 'f:a', 'v:"x"', 'i:10', 'i:9'];
    expect(ports.sort(compareElements)).toEqual([
      'f:a',
      'f:b',
      'k:{"port":80}',
      'k:{"port":443}',
      'v:"x"',
      'i:9',
      'i:10',
    ]);
    expect(formatPath(['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:x'])).toBe(
      '.spec.ports[port=80,protocol="TCP"].x',
    );
    expect(formatPath(['f:finalizers', 'v:"a/b"'])).toBe('.finalizers[="a/b"]');
  });
});

describe('updates', () => {
  it('own what they add and change, not what they leave', () => {
    const live = configMap({ a: '1', b: '1' });
    trackUpdate(configMaps, undefined, live, 'one', T0);
    expect(ownersOf(live)).toEqual({ 'one Update': { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } } });
    const next = configMap({ a: '1', b: '2' });
    trackUpdate(configMaps, live, next, 'two', T1);
    expect(ownersOf(next)).toEqual({
      'one Update': { 'f:data': { '.': {}, 'f:a': {} } },
      'two Update': { 'f:data': { 'f:b': {} } },
    });
    expect(next.metadata.managedFields?.map((entry) => entry.time)).toEqual([T0, T1]);
  });

  it('keep the entries when nothing changes', () => {
    const live = configMap({ a: '1' });
    trackUpdate(configMaps, undefined, live, 'one', T0);
    const next = configMap({ a: '1' });
    trackUpdate(configMaps, live, next, 'two', T1);
    expect(next.metadata.managedFields).toEqual(live.metadata.managedFields);
  });

  it('forget all owners when a client says so, and not when it sends nonsense', () => {
    const live = configMap({ a: '1' });
    trackUpdate(configMaps, undefined, live, 'one', T0);
    for (const given of [[], [{}]]) {
      const next = configMap({ a: '1' }, { managedFields: given });
      trackUpdate(configMaps, live, next, 'two', T1);
      expect(next.metadata.managedFields).toBeUndefined();
    }
    const next = configMap({ a: '1' }, { managedFields: [{ manager: 'x', operation: 'Nope' }] });
    trackUpdate(configMaps, live, next, 'two', T1);
    expect(next.metadata.managedFields).toEqual(live.metadata.managedFields);
  });

  it('do not start to track an object that was not tracked', () => {
    const next = configMap({ a: '2' });
    trackUpdate(configMaps, configMap({ a: '1' }), next, 'two', T1);
    expect(next.metadata.managedFields).toBeUndefined();
  });

  it('never own what the strategy resets', () => {
    const object = { metadata: { name: 'd' }, spec: { replicas: 1 }, status: { replicas: 3 } } as KubeObject;
    trackUpdate(deployments, undefined, object, 'one', T0);
    expect(ownersOf(object)).toEqual({ 'one Update': { 'f:spec': { 'f:replicas': {} } } });
  });

  it('leave an object alone that has list items without keys', () => {
    const containers = [{ image: 'x' }, { name: 'ports', ports: [{}] }];
    const object = { metadata: { name: 'd' }, spec: { template: { spec: { containers } } } } as unknown as KubeObject;
    trackUpdate(deployments, undefined, object, 'one', T0);
    expect(object.metadata.managedFields).toBeDefined();
    const secrets = { metadata: { name: 's' }, secrets: [{ kind: 'x' }] } as unknown as KubeObject;
    trackUpdate({ ...configMaps, type: typeOf('v1', 'ServiceAccount') }, undefined, secrets, 'one', T0);
    expect(secrets.metadata.managedFields).toBeUndefined();
    const managedFields = [
      { manager: 'one', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} },
    ];
    const live = { metadata: { name: 's', managedFields } } as unknown as KubeObject;
    const next = { metadata: { name: 's', managedFields }, secrets: [{ name: '' }] } as unknown as KubeObject;
    trackUpdate({ ...configMaps, type: typeOf('v1', 'ServiceAccount') }, live, next, 'one', T1);
    expect(next.metadata.managedFields).toBeUndefined();
  });

  it('put the oldest of more than ten managers together', () => {
    const entries: ManagedFieldsEntry[] = Array.from({ length: 13 }, (_, i) => ({
      manager: `m${i}`,
      operation: 'Update',
      apiVersion: 'v1',
      time: `2026-01-01T00:00:${String(i).padStart(2, '0')}Z`,
      fieldsType: 'FieldsV1',
      fieldsV1: { [`f:f${i}`]: {} },
    }));
    const capped = [...capManagers(decodeManagers(entries)).values()];
    expect(capped).toHaveLength(10);
    expect(capped.find(({ name }) => name === 'ancient-changes')).toMatchObject({
      time: '2026-01-01T00:00:03Z',
      fields: { 'f:f0': {}, 'f:f1': {}, 'f:f2': {}, 'f:f3': {} },
    });
  });
});

describe('applies', () => {
  it('make an object of nothing', () => {
    const made = applying(undefined, { a: '1' }, 'one');
    expect(made.data).toEqual({ a: '1' });
    expect(made.metadata.managedFields).toEqual([
      {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'v1',
        time: T0,
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:a': {} } },
      },
    ]);
  });

  it('remove what they do not apply any more and nobody else owns', () => {
    const one = applying(undefined, { a: '1', b: '1' }, 'one');
    const two = applying(one, { b: '1' }, 'two', false, T1);
    expect(ownersOf(two)['two Apply']).toEqual({ 'f:data': { 'f:b': {} } });
    const less = applying(two, {}, 'one', false, T1);
    expect(less.data).toEqual({ b: '1' });
  });

  it('give no time to an apply that changes nothing', () => {
    const one = applying(undefined, { a: '1' }, 'one');
    const two = applying(one, { a: '1' }, 'two', false, T1);
    expect(two.metadata.managedFields?.map(({ manager, time }) => [manager, time])).toEqual([
      ['two', undefined],
      ['one', T0],
    ]);
  });

  it('conflict with other owners of other values, and take over by force', () => {
    const both = applying(applying(undefined, { a: '1', b: '1' }, 'one'), { c: '1' }, 'three');
    const refused = refusal(() => applying(both, { a: '2', b: '2', c: '2' }, 'two'));
    expect(refused.message).toBe(
      'Apply failed with 3 conflicts: conflicts with "one":\n- .data.a\n- .data.b\nconflicts with "three":\n- .data.c',
    );
    expect(refused).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(refused.details?.causes?.[0]).toEqual({
      reason: 'FieldManagerConflict',
      message: 'conflict with "one"',
      field: '.data.a',
    });
    const forced = applying(both, { a: '2', b: '2', c: '2' }, 'two', true);
    expect(Object.keys(ownersOf(forced))).toEqual(['two Apply']);
  });

  it('find an owner for what was there before the first of them', () => {
    const live = configMap({ a: '1' }, { uid: 'u' });
    expect(refusal(() => applying(live, { a: '2' }, 'one')).message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
    );
  });

  it('keep the metadata that the server owns when the last label goes', () => {
    const config = { ...configMap({}, { labels: { l: '1' } }), data: undefined } as unknown as JsonObject;
    const options = { manager: 'one', force: false, at: T0 };
    const live = applyConfiguration(configMaps, 'ConfigMap', undefined, config, options);
    Object.assign(live.metadata, { uid: 'u', resourceVersion: '7' });
    const less = applyConfiguration(configMaps, 'ConfigMap', live, configMap({}) as unknown as JsonObject, options);
    expect(less.metadata).toMatchObject({ name: 'c', uid: 'u', resourceVersion: '7' });
    expect(less.metadata.labels).toBeUndefined();
  });

  it('are refused for another kind, for managedFields, and for what the schema does not have', () => {
    const options = { manager: 'one', force: false, at: T0 };
    const apply = (config: JsonObject): unknown =>
      applyConfiguration(configMaps, 'ConfigMap', undefined, config, options);
    expect(refusal(() => apply({ apiVersion: 'v2', kind: 'ConfigMap' })).message).toBe(
      'invalid object type: /v2, Kind=ConfigMap',
    );
    const owned = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { managedFields: [] } };
    expect(refusal(() => apply(owned)).message).toBe('metadata.managedFields must be nil');
    const unknown = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, x: 1, data: { a: 1 } };
    expect(refusal(() => apply(unknown)).message).toMatch(
      /^failed to create typed patch object \(\/c; \/v1, Kind=ConfigMap\): errors:/,
    );
  });

  it('bring the annotation of client-side apply up to date, and take over what it wrote', () => {
    const last = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1"}}';
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': last };
    const live = configMap({ a: '1' }, { annotations });
    trackUpdate(configMaps, undefined, live, 'kubectl-client-side-apply', T0);
    expect(refusal(() => applying(live, { a: '2' }, 'other')).code).toBe(409);
    const taken = applying(live, { a: '2' }, 'kubectl', false, T1);
    expect(taken.data).toEqual({ a: '2' });
    expect(Object.values(taken.metadata.annotations ?? {})).toEqual([
      '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"c"}}\n',
    ]);
  });
});

describe('lists', () => {
  const container = typeOfMessage(schemaByName('core.v1.PodSpec')!);
  const named = (...names: string[]): Json => ({ containers: names.map((name) => ({ name })) });
  const merged = (live: Json, config: Json): unknown =>
    (merge(container, live, config) as { containers: { name: string }[] }).containers.map(({ name }) => name);

  it.each([
    [
      ['a', 'b', 'c'],
      ['c', 'a'],
      ['b', 'c', 'a'],
    ],
    [
      ['a', 'b'],
      ['x', 'b', 'y'],
      ['a', 'x', 'b', 'y'],
    ],
    [[], ['a'], ['a']],
    [['a'], [], ['a']],
  ])('%j with %j applied are in the order %j', (live, config, result) => {
    expect(merged(named(...live), named(...config))).toEqual(result);
  });
});

describe('other versions and kinds', () => {
  it('compare in the version in which the owner wrote', () => {
    const v2: MapType = typeOf('v1', 'ConfigMap');
    const subject: Subject = {
      ...configMaps,
      inVersion: (object, version) => (version === 'v2' ? { type: v2, object } : undefined),
    };
    const entry = {
      operation: 'Update' as const,
      fieldsType: 'FieldsV1' as const,
      fieldsV1: { 'f:data': { 'f:a': {} } },
    };
    const managedFields = ['v2', 'gone'].map((apiVersion) => ({ ...entry, manager: apiVersion, apiVersion }));
    const next = configMap({ a: '2' });
    trackUpdate(subject, configMap({ a: '1', b: '1' }, { managedFields }), next, 'one', T1);
    expect(Object.keys(ownersOf(next))).toEqual(['one Update']);
  });

  it('show the owners of replicas through the scale', () => {
    const replicas = { apiVersion: 'apps/v1', path: ['f:spec', 'f:replicas'] };
    const entry: ManagedFieldsEntry = {
      manager: 'a',
      operation: 'Apply',
      apiVersion: 'apps/v1',
      time: T0,
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } },
    };
    const seen = scaleEntries([entry], replicas);
    expect(seen).toEqual([{ ...entry, apiVersion: 'autoscaling/v1', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }]);
    expect(parentEntries([entry], seen, replicas)).toEqual([entry]);
    const stolen: ManagedFieldsEntry[] = [
      { ...(seen?.[0] as ManagedFieldsEntry), manager: 's', operation: 'Update', subresource: 'scale' },
    ];
    expect(parentEntries([entry], stolen, replicas)).toEqual([
      { ...entry, fieldsV1: { 'f:spec': { 'f:paused': {} } } },
      {
        manager: 's',
        operation: 'Update',
        apiVersion: 'apps/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { 'f:replicas': {} } },
        subresource: 'scale',
      },
    ]);
  });

  it('walk custom resources by their own schema, and what has none by its values', () => {
    const meta = typeOfMessage(schemaByName('meta.v1.ObjectMeta')!);
    const tags = { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } };
    const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const schema = { type: 'object', properties: { spec: { type: 'object', properties: { tags, free } } } };
    const object = { metadata: { name: 'w' }, spec: { tags: ['b', 'a'], free: { x: [1], y: { z: 1 } } } };
    const tracked = (type: MapType): unknown => {
      const copy = structuredClone(object) as unknown as KubeObject;
      trackUpdate({ type, apiVersion: 'x/v1', subresource: '', resetFields: {} }, undefined, copy, 'one', T0);
      return ownersOf(copy)['one Update'];
    };
    const known = { '.': {}, 'f:x': {}, 'f:y': { '.': {}, 'f:z': {} } };
    expect(tracked(typeOfOpenApi(schema, meta))).toEqual({
      'f:spec': { '.': {}, 'f:free': known, 'f:tags': { '.': {}, 'v:"a"': {}, 'v:"b"': {} } },
    });
    expect(tracked(typeOfOpenApi(undefined, meta))).toEqual({ 'f:spec': { '.': {}, 'f:free': known, 'f:tags': {} } });
  });
});
