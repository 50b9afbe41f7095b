/** The schema of built-in kinds: what is looked up, and how its lines are read. */
import { describe, expect, it } from 'vitest';
import { allMessages, schemaByName, schemaFor } from '../../src/apimachinery/schema/index.ts';
import { parseMessage } from '../../src/apimachinery/schema/parse.ts';
import { resources } from '../../src/resources/index.ts';

const field = (message: string, name: string) => schemaByName(message)?.fields.get(name);

describe('schemaFor', () => {
  const kinds: [string, string, string][] = [
    ['v1', 'Pod', 'core.v1.Pod'],
    ['apps/v1', 'Deployment', 'apps.v1.Deployment'],
    ['autoscaling/v2', 'HorizontalPodAutoscaler', 'autoscaling.v2.HorizontalPodAutoscaler'],
    ['autoscaling/v1', 'Scale', 'autoscaling.v1.Scale'],
    ['policy/v1', 'Eviction', 'policy.v1.Eviction'],
    ['v1', 'Binding', 'core.v1.Binding'],
    ['authentication.k8s.io/v1', 'TokenRequest', 'authentication.v1.TokenRequest'],
    ['authentication.k8s.io/v1', 'TokenReview', 'authentication.v1.TokenReview'],
    ['authorization.k8s.io/v1', 'SelfSubjectRulesReview', 'authorization.v1.SelfSubjectRulesReview'],
    ['admission.k8s.io/v1', 'AdmissionReview', 'admission.v1.AdmissionReview'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'apiextensions.v1.CustomResourceDefinition'],
    ['v1', 'Status', 'meta.v1.Status'],
    ['v1', 'DeleteOptions', 'meta.v1.DeleteOptions'],
    ['apps/v1', 'DeleteOptions', 'meta.v1.DeleteOptions'],
    ['meta.k8s.io/v1', 'PartialObjectMetadata', 'meta.v1.PartialObjectMetadata'],
    ['v1', 'APIGroup', 'meta.v1.APIGroup'],
  ];
  it.each(kinds)('%s %s is %s', (apiVersion, kind, name) => {
    expect(schemaFor(apiVersion, kind)?.name).toBe(name);
  });

  it.each([
    ['v1', 'Nothing'],
    ['example.com/v1', 'Pod'],
    ['', ''],
    ['v1', '__proto__'],
    ['v1', 'constructor'],
    ['__proto__', 'Pod'],
    ['v1', 'Pod name'],
  ])('knows no %s %s', (apiVersion, kind) => {
    expect(schemaFor(apiVersion, kind)).toBeUndefined();
  });

  it('knows every resource, its list and its subresources', () => {
    const unknown: string[] = [];
    for (const resource of resources) {
      const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
      const lists = (resource.verbs ?? ['list']).includes('list') ? [resource.listKind ?? `${resource.kind}List`] : [];
      for (const kind of [resource.kind, ...lists]) {
        if (schemaFor(apiVersion, kind) === undefined) unknown.push(`${apiVersion} ${kind}`);
      }
      for (const { kind, group = resource.group, version = resource.version } of resource.subresources ?? []) {
        if (schemaFor(group === '' ? version : `${group}/${version}`, kind) === undefined) unknown.push(kind);
      }
    }
    expect(unknown).toEqual([]);
  });
});

describe('fields', () => {
  it('have shapes, kinds and numbers', () => {
    expect(field('core.v1.PodSpec', 'containers')).toMatchObject({
      shape: 'repeated',
      kind: 'message',
      number: 2,
      required: true,
    });
    expect(field('core.v1.PodSpec', 'nodeSelector')).toMatchObject({ shape: 'map', kind: 'string', atomicMap: true });
    expect(field('core.v1.Secret', 'data')).toMatchObject({ shape: 'map', kind: 'bytes' });
    expect(field('core.v1.PodSpec', 'priority')).toMatchObject({ shape: 'one', kind: 'int32' });
    expect(field('meta.v1.ObjectMeta', 'generation')).toMatchObject({ kind: 'int64' });
  });

  it('say how lists and messages are merged', () => {
    expect(field('core.v1.PodSpec', 'containers')).toMatchObject({
      listType: 'map',
      mapKeys: ['name'],
      patchStrategy: 'merge',
      patchMergeKey: 'name',
    });
    expect(field('core.v1.PodSpec', 'volumes')).toMatchObject({
      patchStrategy: 'merge,retainKeys',
      patchMergeKey: 'name',
    });
    expect(field('core.v1.Container', 'ports')).toMatchObject({
      mapKeys: ['containerPort', 'protocol'],
      patchMergeKey: 'containerPort',
    });
    expect(field('core.v1.ContainerPort', 'protocol')).toMatchObject({ default: 'TCP' });
    expect(field('core.v1.ReplicationControllerSpec', 'replicas')).toMatchObject({ default: 1 });
    expect(field('core.v1.Container', 'args')).toMatchObject({ listType: 'atomic' });
    expect(field('meta.v1.ObjectMeta', 'finalizers')).toMatchObject({ listType: 'set', patchStrategy: 'merge' });
    expect(field('apps.v1.DeploymentSpec', 'strategy')).toMatchObject({ patchStrategy: 'retainKeys' });
    expect(schemaByName('core.v1.LocalObjectReference')?.atomic).toBe(true);
    expect(field('core.v1.PersistentVolumeSpec', 'claimRef')).toMatchObject({ atomicMap: false });
  });

  it('stand in their parent where a message is inlined, and apart on the wire', () => {
    expect(field('core.v1.Volume', 'emptyDir')).toMatchObject({ shape: 'one' });
    expect(field('core.v1.EphemeralContainer', 'name')).toMatchObject({ required: true });
    expect(schemaByName('core.v1.Volume')?.wire.map(({ shape }) => shape)).toContain('inline');
  });

  it('are called as in JSON', () => {
    for (const name of ['$ref', '$schema', 'x-kubernetes-list-map-keys']) {
      expect(field('apiextensions.v1.JSONSchemaProps', name)).toBeDefined();
    }
  });

  it('know messages with a form of their own', () => {
    const special = (message: string, name: string) => field(message, name)?.message?.special;
    expect(special('meta.v1.ObjectMeta', 'creationTimestamp')).toBe('Time');
    expect(special('coordination.v1.LeaseSpec', 'renewTime')).toBe('MicroTime');
    expect(special('core.v1.ServicePort', 'targetPort')).toBe('IntOrString');
    expect(special('core.v1.ResourceRequirements', 'limits')).toBe('Quantity');
    expect(special('apps.v1.ControllerRevision', 'data')).toBe('Raw');
    expect(special('meta.v1.ManagedFieldsEntry', 'fieldsV1')).toBe('Raw');
    expect(special('authentication.v1.UserInfo', 'extra')).toBe('StringList');
  });
});

describe('all messages', () => {
  it('name only messages that there are, have each number once, and are in order of their numbers', () => {
    const problems: string[] = [];
    for (const message of allMessages()) {
      const numbers = message.wire.map(({ number }) => number);
      if (new Set(numbers).size !== numbers.length) problems.push(`${message.name}: a number twice`);
      if (numbers.some((number, i) => i > 0 && number < (numbers[i - 1] as number)))
        problems.push(`${message.name}: order`);
      for (const { name, kind, message: inner } of message.wire) {
        if (kind === 'message' && inner?.name.includes('undefined')) problems.push(`${message.name}.${name}`);
      }
    }
    expect(problems).toEqual([]);
    expect(allMessages().length).toBeGreaterThan(600);
  });

  it('map keys are fields of the items', () => {
    const problems: string[] = [];
    for (const message of allMessages()) {
      for (const { name, mapKeys = [], patchMergeKey, message: inner } of message.wire) {
        for (const key of [...mapKeys, ...(patchMergeKey === undefined ? [] : [patchMergeKey])]) {
          if (inner !== undefined && !inner.fields.has(key)) problems.push(`${message.name}.${name}: ${key}`);
        }
      }
    }
    expect(problems).toEqual([]);
  });
});

it('a line that cannot be read is said', () => {
  expect(() =>
    parseMessage('x.v1', 'Thing field', () => {
      throw new Error('unused');
    }),
  ).toThrow('schema of x.v1: cannot read field');
});
