/** Errors of whole objects that recordings reach seldom or never: what must be told, and how structs are printed in it. */
import { describe, expect, it } from 'vitest';
import { applyDefaults } from '../../src/api/registry/create.ts';
import type { JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import { findResource, resourceById } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';

const LONG = 'x'.repeat(300);

function errorsOf(id: string, object: object, old?: object): string[] {
  const { strategy } = resourceById(id) ?? {};
  const metadata = { name: 'a', namespace: 'ns' };
  const given = { metadata, ...object } as KubeObject;
  const before = old === undefined ? undefined : ({ metadata, ...old } as KubeObject);
  const errors = before === undefined ? strategy?.validate?.(given) : strategy?.validateUpdate?.(given, before);
  return (errors ?? []).map(({ field, body }) => `${field}: ${body}`);
}

const happened = {
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingController: 'example.com/c',
  reportingInstance: 'i',
  action: 'Binding',
  reason: 'Scheduled',
  regarding: { kind: 'Pod', name: 'p', namespace: 'ns' },
  type: 'Normal',
};

describe('events', () => {
  it.each<[JsonObject, string[]]>([
    [{}, []],
    [{ reason: LONG }, ['reason: Invalid value: "": can have at most 128 characters']],
    [{ action: LONG }, ['action: Invalid value: "": can have at most 128 characters']],
    [{ reportingInstance: LONG }, ['reportingInstance: Invalid value: "": can have at most 128 characters']],
    [{ note: LONG.repeat(4) }, ['message: Invalid value: "": can have at most 1024 characters']],
    [
      { series: { count: 1 } },
      ['series.count: Invalid value: "": should be at least 2', 'series.lastObservedTime: Required value'],
    ],
    [{ deprecatedCount: 3 }, ['count: Invalid value: "": needs to be unset']],
    [{ deprecatedSource: { host: 'n' } }, ['source: Invalid value: "": needs to be unset']],
  ])('with %j', (more, errors) => {
    expect(errorsOf('events.k8s.io/events', { ...happened, ...more })).toEqual(errors);
  });

  it.each<[JsonObject, string]>([
    [{ deprecatedCount: 3 }, 'count: Invalid value: 3: field is immutable'],
    [{ deprecatedSource: { host: 'n' } }, 'source: Invalid value: {"Component":"","Host":"n"}: field is immutable'],
  ])('stay what they are: %j', (more, error) => {
    expect(errorsOf('events.k8s.io/events', { ...happened, ...more }, happened)).toEqual([error]);
  });
});

const pod = (spec: JsonObject): JsonObject => ({
  spec: {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    terminationGracePeriodSeconds: 30,
    containers: [{ name: 'c', image: 'i', imagePullPolicy: 'Always', terminationMessagePolicy: 'File' }],
    ...spec,
  },
});

describe('pods', () => {
  it.each<[JsonObject, string[]]>([
    [{ imagePullSecrets: [{}] }, []],
    [
      { dnsConfig: { searches: [LONG] } },
      [`spec.dnsConfig.searches[0]: Invalid value: "${LONG}": must be no more than 253 characters`],
    ],
    [
      { volumes: [{ name: 'v', csi: { driver: LONG } }] },
      [
        'spec.volumes[0].csi.driver: Too long: may not be more than 63 bytes',
        `spec.volumes[0].csi.driver: Invalid value: "${LONG}": must be no more than 253 characters`,
      ],
    ],
  ])('with %j', (spec, errors) => {
    expect(errorsOf('core/pods', pod(spec))).toEqual(errors);
  });
});

describe('structs in messages', () => {
  it('are printed as upstream holds them', () => {
    const [first = ''] = errorsOf('policy/poddisruptionbudgets', { spec: { minAvailable: 1, maxUnavailable: '10%' } });
    expect(first).toBe(
      'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":"10%","UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
    );
    const parent = (name: string): JsonObject => ({ spec: { parentRef: { resource: 'services', name } } });
    expect(errorsOf('networking.k8s.io/ipaddresses', parent('b'), parent('a'))).toEqual([
      'spec.parentRef: Invalid value: {"Group":"","Resource":"services","Namespace":"","Name":"b"}: field is immutable',
    ]);
    const securityContext = { allowPrivilegeEscalation: false, privileged: true };
    const container = { name: 'c', image: 'i', imagePullPolicy: 'Always', terminationMessagePolicy: 'File' };
    const [said = ''] = errorsOf('core/pods', pod({ containers: [{ ...container, securityContext }] }));
    expect(said).toMatch(
      /^spec\.containers\[0\]\.securityContext: Invalid value: \{"Capabilities":null,"Privileged":true,/,
    );
  });
});

describe('a spec that nobody sent', () => {
  it.each([
    ['', 'v1', 'pods'],
    ['autoscaling', 'v1', 'horizontalpodautoscalers'],
    ['apiextensions.k8s.io', 'v1', 'customresourcedefinitions'],
  ])('gets the defaults of an empty one: %s/%s %s', (group, version, plural) => {
    const resource = findResource(group, version, plural) as Resource;
    const [none, empty] = [{ metadata: { name: 'a' } }, { metadata: { name: 'a' }, spec: {} }];
    applyDefaults(resource, none);
    applyDefaults(resource, empty);
    expect(none).toEqual(empty);
    expect(Object.keys((none as { spec?: object }).spec ?? {})).not.toEqual([]);
  });

  it('stays away where Go would not hold it', () => {
    const map = { metadata: { name: 'a' } };
    applyDefaults(findResource('', 'v1', 'configmaps') as Resource, map);
    expect(map).not.toHaveProperty('spec');
  });
});
