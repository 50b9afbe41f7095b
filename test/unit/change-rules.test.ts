/** What an update or a patch may say of an object's version, namespace and name, and what counts as a change of it. */
import { describe, expect, it } from 'vitest';
import { patchOptions, requestOptions } from '../../src/api/handlers/options.ts';
import { decideChange } from '../../src/api/registry/change.ts';
import { refuseResourceVersion } from '../../src/api/registry/create.ts';
import { encodeStored } from '../../src/api/registry/encode.ts';
import { nameOf } from '../../src/api/registry/resource-name.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import { findResource } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { withResourceVersion } from '../../src/store/text.ts';
import type { Outcome } from '../../src/store/types.ts';

const OPTIONS = { fieldManager: 'm', dryRun: false, fieldValidation: 'Ignore' } as const;

const CASES = {
  configmaps: ['', 'v1', { data: { a: '1' } }],
  leases: ['coordination.k8s.io', 'v1', { spec: { holderIdentity: 'x' } }],
  networkpolicies: ['networking.k8s.io', 'v1', { spec: { podSelector: {} } }],
  ingresses: ['networking.k8s.io', 'v1', { spec: { defaultBackend: { service: { name: 's', port: { number: 1 } } } } }],
} as const;

/** Puts what `edit` makes of a stored object of version 7. */
function put(plural: keyof typeof CASES, edit: (object: KubeObject & JsonObject) => void, patched = false): Outcome {
  const [group, version, parts] = CASES[plural];
  const resource = findResource(group, version, plural) as Resource;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const metadata = { name: 'x', namespace: 'd', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 };
  const object = { apiVersion, kind: resource.kind, metadata, ...parts } as unknown as KubeObject & JsonObject;
  const stored = encodeStored(resource, structuredClone(object));
  const text = withResourceVersion(stored.text, 7);
  const body = JSON.parse(text) as KubeObject & JsonObject;
  edit(body);
  const request = patched
    ? ({
        do: 'patch',
        type: 'merge',
        resource: nameOf(resource),
        body: JSON.stringify(body),
        options: OPTIONS,
      } as const)
    : ({ do: 'update', resource: nameOf(resource), body: JSON.stringify(body), options: OPTIONS } as const);
  return decideChange(request, 'd/x')({ ...stored, key: 'd/x', text, resourceVersion: 7 }, 7);
}

const told = (outcome: Outcome): string =>
  outcome.do === 'fail' ? `${outcome.status.code} ${outcome.status.message}` : outcome.do;

describe('the resourceVersion of an update', () => {
  const modified = 'the object has been modified; please apply your changes to the latest version and try again';
  it.each([
    ['configmaps', '7', 'write'],
    ['configmaps', '', 'write'],
    ['configmaps', '0', 'write'],
    ['configmaps', '6', `409 Operation cannot be fulfilled on configmaps "x": ${modified}`],
    ['configmaps', 'abc', '500 strconv.ParseUint: parsing "abc": invalid syntax'],
    ['configmaps', '-1', '500 strconv.ParseUint: parsing "-1": invalid syntax'],
    ['configmaps', '99999999999999999999', '500 strconv.ParseUint: parsing "99999999999999999999": value out of range'],
    [
      'leases',
      '0',
      '422 leases.coordination.k8s.io "x" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    ],
  ] as const)('of %s: %j', (plural, resourceVersion, outcome) => {
    const changed = put(plural, (object) => {
      object.metadata.resourceVersion = resourceVersion;
      object.metadata.labels = { new: 'label' };
    });
    expect(told(changed)).toBe(outcome);
  });

  it.each([
    ['', true],
    ['0', true],
    ['abc', true],
    ['5', false],
  ])('of what is new: %j', (resourceVersion, goes) => {
    const check = (): void => refuseResourceVersion({ metadata: { name: 'x', resourceVersion } } as KubeObject);
    if (goes) expect(check).not.toThrow();
    else expect(check).toThrow('resourceVersion should not be set on objects to be created');
  });
});

describe('metadata', () => {
  it.each<[change: object, patched: boolean, outcome: string]>([
    [
      { namespace: 'other' },
      true,
      '400 the namespace of the provided object does not match the namespace sent on the request',
    ],
    [{ name: 'other' }, true, '400 the name of the object (other) does not match the name on the URL (x)'],
    [{ name: null }, true, '400 the name of the object (x based on URL) was undeterminable: name must be provided'],
    [{ deletionTimestamp: '2020-01-01T00:00:00Z' }, false, '422'],
    [{ deletionGracePeriodSeconds: 5 }, false, '422'],
    [{ creationTimestamp: '2020-01-01T00:00:00Z' }, false, 'answer'],
    [{ generation: 9 }, false, 'answer'],
  ])('%j', (change, patched, outcome) => {
    const changed = put('configmaps', (object) => Object.assign(object.metadata, change), patched);
    expect(told(changed).slice(0, outcome.length)).toBe(outcome);
  });
});

describe('an empty list', () => {
  it.each([
    ['networkpolicies', 'egress', 2],
    ['ingresses', 'rules', 1],
  ] as const)('of %s', (plural, field, generation) => {
    const outcome = put(plural, (object) => Object.assign(object['spec'] as object, { [field]: [] }));
    const next =
      outcome.do === 'write' ? (JSON.parse(outcome.object.text) as KubeObject).metadata.generation : undefined;
    expect(next).toBe(generation);
  });
});

describe('options', () => {
  it.each<[query: string, kind: string, causes: string[]]>([
    ['dryRun=All&fieldValidation=Strict&fieldManager=m', 'CreateOptions', []],
    ['dryRun=', 'PatchOptions', ['dryRun: Unsupported value: [""]: supported values: "All"']],
    [
      'dryRun=Some&fieldValidation=x',
      'CreateOptions',
      [
        'dryRun: Unsupported value: ["Some"]: supported values: "All"',
        'fieldValidation: Unsupported value: "x": supported values: "", "Ignore", "Strict", "Warn"',
      ],
    ],
    ['force=true', 'PatchOptions', ['force: Forbidden: may not be specified for non-apply patch']],
  ])('%s of %s', (query, kind, causes) => {
    const url = new URL(`https://x/?${query}`);
    let found: string[] = [];
    try {
      if (kind === 'PatchOptions') patchOptions(url, null, false);
      else requestOptions(url, null, kind);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      found = error.status.details?.causes?.map(({ field, message }) => `${field}: ${message}`) ?? [];
    }
    expect(found).toEqual(causes);
  });
});

describe('a delete that does not say what becomes of dependents', () => {
  const gone = (group: string, plural: string, finalizers: string[], options: object): unknown => {
    const resource = findResource(group, 'v1', plural) as Resource;
    const apiVersion = group === '' ? 'v1' : `${group}/v1`;
    const object = { apiVersion, kind: resource.kind, metadata: { name: 'x', namespace: 'd', uid: 'u', finalizers } };
    const stored = encodeStored(resource, object as unknown as KubeObject);
    const text = withResourceVersion(stored.text, 7);
    const request = { do: 'delete', resource: nameOf(resource), options: { dryRun: false, ...options } } as const;
    const outcome = decideChange(request, 'd/x')({ ...stored, key: 'd/x', text, resourceVersion: 7 }, 7);
    return outcome.do === 'write' ? (JSON.parse(outcome.object.text) as KubeObject).metadata.finalizers : outcome.do;
  };

  it.each<[group: string, plural: string, finalizers: string[], options: object, left: unknown]>([
    ['', 'replicationcontrollers', [], {}, ['orphan']],
    ['batch', 'jobs', ['a/b'], {}, ['a/b', 'orphan']],
    ['batch', 'jobs', ['foregroundDeletion'], {}, ['foregroundDeletion']],
    ['batch', 'jobs', [], { propagationPolicy: 'Background' }, 'delete'],
    ['batch', 'jobs', [], { orphanDependents: false }, 'delete'],
    ['batch', 'cronjobs', [], {}, 'delete'],
  ])('of %s %s', (group, plural, finalizers, options, left) => {
    expect(gone(group, plural, finalizers, options)).toEqual(left);
  });
});
