/** What every store does, whatever database is below: one table for the in-memory twin, SQLite and the Durable Object. */
import { expect } from 'vitest';
import { encode } from '../../src/api/registry/encode.ts';
import type { Json, KubeObject, Status } from '../../src/apimachinery/meta.ts';
import type { ChangeRequest, DeleteRequest } from '../../src/durable-objects/rpc.ts';
import { resourceById } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';
import type { CommitResult, Encoded, ListPage, ListQuery, ListResult } from '../../src/store/types.ts';
import type { StoreUnderTest, WatchEvent } from './store-under-test.ts';

export interface StoreCase {
  name: string;
  resource?: 'configmaps' | 'pods' | 'replicationcontrollers';
  run(store: StoreUnderTest): Promise<void>;
}

export const OPTIONS = { fieldManager: 'test', dryRun: false, fieldValidation: 'Strict' } as const;

interface Given {
  labels?: Record<string, string>;
  finalizers?: string[];
  owner?: string;
  data?: Record<string, string>;
  namespace?: string;
}

/** An object, as far as the cases look into it. */
export type Sample = KubeObject & { data?: Record<string, string> };

/** A ConfigMap as a client would send it. */
export function configMap(name: string, { labels, finalizers, owner, data, namespace = 'ns' }: Given = {}): Sample {
  return {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: {
      name,
      namespace,
      uid: `uid-of-${name}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(labels === undefined ? {} : { labels }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'o', uid: owner }] }),
    },
    data: data ?? { a: '1' },
  };
}

/** A Pod that has a node, so that it ends with grace. */
export function pod(name: string, phase = 'Running'): KubeObject {
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name, namespace: 'ns', uid: `uid-of-${name}`, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      nodeName: 'n',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      containers: [{ name: 'c', image: 'i' }],
    },
    status: { phase },
  } as KubeObject;
}

/** A ReplicationController, whose kind leaves its dependents behind. */
export const replicationController = (name: string, finalizers: string[] = []): KubeObject =>
  ({
    kind: 'ReplicationController',
    apiVersion: 'v1',
    metadata: { name, namespace: 'ns', uid: `uid-of-${name}`, creationTimestamp: '2026-01-01T00:00:00Z', finalizers },
    spec: { replicas: 0, selector: { a: 'b' } },
  }) as KubeObject;

const resourceOf = ({ kind = '' }: KubeObject): Resource => resourceById(`core/${kind.toLowerCase()}s`) as Resource;

export const stored = (object: KubeObject): Encoded => encode(resourceOf(object), object);
export const keyOf = (object: KubeObject): string => `${object.metadata.namespace}/${object.metadata.name}`;

/** Creates objects, in order; answers the last one's resourceVersion. */
export async function add(store: StoreUnderTest, ...objects: KubeObject[]): Promise<number> {
  let version = 0;
  for (const object of objects) version = written(await store.calls.create(keyOf(object), stored(object), false));
  return version;
}

const named = (name: string): string => `core/v1/${name}`;

export function patch(
  store: StoreUnderTest,
  name: string,
  body: Json,
  type: 'merge' | 'json' | 'strategic' = 'merge',
  resource = 'configmaps',
): Promise<CommitResult> {
  const request = {
    do: 'patch',
    resource: named(resource),
    type,
    body: JSON.stringify(body),
    options: OPTIONS,
  } as const;
  return store.calls.change(`ns/${name}`, request);
}

export function update(store: StoreUnderTest, object: Sample, name = object.metadata.name): Promise<CommitResult> {
  const request = {
    do: 'update',
    resource: named('configmaps'),
    body: JSON.stringify(object),
    options: OPTIONS,
  } as const;
  return store.calls.change(`ns/${name}`, request);
}

export const deletion = (options: Partial<DeleteRequest> = {}, resource = 'configmaps') =>
  ({ do: 'delete', resource: named(resource), options: { dryRun: false, ...options } }) satisfies ChangeRequest;

export function remove(
  store: StoreUnderTest,
  name: string,
  options: Partial<DeleteRequest> = {},
  resource = 'configmaps',
): Promise<CommitResult> {
  return store.calls.change(`ns/${name}`, deletion(options, resource));
}

/** The resourceVersion that a write got. */
export function written(result: CommitResult): number {
  if ('status' in result) throw new Error(result.status.message);
  return result.resourceVersion;
}

/** What a call failed with. */
export function failure(result: CommitResult | ListResult): Status {
  if (!('status' in result)) throw new Error('it did not fail');
  return result.status;
}

export function object(result: CommitResult): Sample {
  if ('status' in result) throw new Error(result.status.message);
  return JSON.parse(result.text) as Sample;
}

export async function page(store: StoreUnderTest, query: Partial<ListQuery> = {}): Promise<ListPage> {
  const result = await store.calls.list({ prefix: '', ...query });
  if ('status' in result) throw new Error(result.status.message);
  return result;
}

export const namesIn = ({ items }: ListPage): string =>
  (JSON.parse(`[${items}]`) as KubeObject[]).map(({ metadata }) => metadata.name).join(' ');

/** The names that a list answers, joined. */
export async function names(store: StoreUnderTest, query: Partial<ListQuery> = {}): Promise<string> {
  return namesIn(await page(store, query));
}

/** Events as `ADDED a@3`, or `BOOKMARK @3`. */
export const said = (events: readonly WatchEvent[]): string[] =>
  events.map(({ type, object: { metadata } }) => `${type} ${metadata.name ?? ''}@${metadata.resourceVersion}`);

/** Asserts that nothing was written since a resourceVersion. */
export async function unchangedSince(store: StoreUnderTest, version: number): Promise<void> {
  expect(await store.calls.changesSince(version)).toMatchObject({
    notices: [],
    resourceVersion: version,
    expired: false,
  });
}
