/** How server-side apply reads a configuration: as it is written, not as Go would hold it. */
import { describe, expect, it } from 'vitest';
import { StatusError } from '../../src/apimachinery/errors.ts';
import {
  applyConfiguration,
  type Subject,
  setOf,
  trackUpdate,
  typeOfObject,
} from '../../src/apimachinery/fieldmanager/index.ts';
import type { JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import { schemaFor } from '../../src/apimachinery/schema/index.ts';

const AT = '2026-01-01T00:00:00Z';
const subjectOf = (apiVersion: string, kind: string): Subject => ({
  type: typeOfObject(schemaFor(apiVersion, kind)!),
  apiVersion,
  subresource: '',
  resetFields: setOf(['f:status']),
});
const SUBJECTS: Record<string, Subject> = {
  ConfigMap: subjectOf('v1', 'ConfigMap'),
  Pod: subjectOf('v1', 'Pod'),
  Ingress: subjectOf('networking.k8s.io/v1', 'Ingress'),
};

/** What an apply makes of the object, or the message that it fails with. */
function applied(kind: string, live: KubeObject | undefined, config: JsonObject, manager: string): KubeObject | string {
  const subject = SUBJECTS[kind] as Subject;
  const whole = { apiVersion: subject.apiVersion, kind, ...config };
  try {
    return applyConfiguration(subject, kind, live, whole, { manager, force: false, at: AT });
  } catch (error) {
    if (error instanceof StatusError) return error.message;
    throw error;
  }
}

const fieldsOf = (object: KubeObject | string, manager: string): unknown =>
  (object as KubeObject).metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1;

describe('empty values of a configuration', () => {
  it.each<[kind: string, mine: JsonObject, others: JsonObject, conflict: string]>([
    ['ConfigMap', { data: { a: '1' } }, { data: {} }, ''],
    ['ConfigMap', { metadata: { annotations: {} } }, { metadata: { annotations: {} } }, '.metadata.annotations'],
    ['Ingress', { spec: { tls: [{ secretName: 's' }] } }, { spec: { tls: [] } }, '.spec.tls'],
    ['Ingress', { spec: { tls: [{ secretName: 's' }] } }, { spec: { tls: [{ secretName: 's' }] } }, ''],
  ])('of a %s: %j and then %j', (kind, mine, others, conflict) => {
    const live = applied(kind, undefined, mine, 'one') as KubeObject;
    live.metadata.uid = 'u';
    // What Go holds of the object has no empty maps.
    if (live.metadata.annotations !== undefined) delete live.metadata.annotations;
    const next = applied(kind, live, others, 'two');
    if (conflict === '') expect(next).toBeTypeOf('object');
    else expect(next).toBe(`Apply failed with 1 conflict: conflict with "one": ${conflict}`);
  });

  it('are a change, which has a time', () => {
    const live = applied('ConfigMap', undefined, { data: { a: '1' } }, 'one') as KubeObject;
    const next = applied('ConfigMap', live, { binaryData: {} }, 'two') as KubeObject;
    expect(next.metadata.managedFields?.find(({ manager }) => manager === 'two')?.time).toBe(AT);
  });
});

describe('keys of items', () => {
  it.each<[what: string, item: JsonObject, element: string]>([
    ['null is a key', { name: null }, 'k:{"name":null}'],
    ['one that is required is empty where it is left out', { image: 'i' }, 'k:{"name":""}'],
    ['as given', { name: 'main' }, 'k:{"name":"main"}'],
  ])('%s', (_, item, element) => {
    const object = applied('Pod', undefined, { spec: { containers: [item] } }, 'one');
    expect(fieldsOf(object, 'one')).toMatchObject({ 'f:spec': { 'f:containers': { [element]: {} } } });
  });

  it.each<[what: string, config: JsonObject, problem: string]>([
    ['null', { finalizers: [null] }, "associative list without keys has an element that's an explicit null"],
    ['a map', { finalizers: [{}] }, "associative list without keys has an element that's a map type"],
    ['a list', { finalizers: [[]] }, 'not supported: associative list with lists as elements'],
  ])('a set has no %s', (_, metadata, problem) => {
    expect(applied('ConfigMap', undefined, { metadata }, 'one')).toBe(
      `failed to create typed patch object (/; /v1, Kind=ConfigMap): .metadata.finalizers: element 0: ${problem}`,
    );
  });
});

describe('kinds', () => {
  it.each([
    ['v2', 'ConfigMap', '/v2, Kind=ConfigMap'],
    ['', 'ConfigMap', '/, Kind=ConfigMap'],
    ['a/b', 'X', 'a/b, Kind=X'],
    ['a/b/c', 'ConfigMap', '/, Kind='],
  ])('%j and %j are printed as Go prints them', (apiVersion, kind, printed) => {
    const config = { apiVersion, kind, metadata: { name: 'c' } };
    expect(applied('ConfigMap', undefined, config, 'one')).toBe(`invalid object type: ${printed}`);
  });
});

describe('managers', () => {
  const live = (): KubeObject => {
    const object = applied('ConfigMap', undefined, { data: { a: '1' } }, 'one') as KubeObject;
    object.metadata.uid = 'u';
    return object;
  };
  const subject: Subject = { ...(SUBJECTS['ConfigMap'] as Subject), inVersion: () => undefined };

  it.each([
    ['that write in a version that is no more', { apiVersion: 'apps/v9' }],
    ['that own nothing', { fieldsV1: {} }],
  ])('%s go with the next update, whatever it changes', (_, change) => {
    const old = live();
    const next = structuredClone(old);
    const [entry] = next.metadata.managedFields as [object];
    next.metadata.managedFields = [{ ...entry, ...change }];
    trackUpdate(subject, old, next, 'two', AT);
    expect(next.metadata.managedFields).toBeUndefined();
  });
});
