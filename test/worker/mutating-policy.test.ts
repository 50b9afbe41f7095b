/** MutatingAdmissionPolicies through the whole API server. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { app } from '../../src/api/app.ts';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { StoreClient } from '../../src/durable-objects/store-client.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';

const around = surroundings(env as unknown as Env);
const MAPS = '/api/v1/namespaces/mut/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/mut/deployments';
const GROUP = '/apis/admissionregistration.k8s.io/v1';
let token = '';

interface Answer {
  code: number;
  body: KubeObject & { data?: Record<string, string>; message?: string; reason?: string };
}

async function send(method: string, path: string, body?: object, type = 'application/json'): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': type };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await app.fetch(new Request(`https://api${path}`, init), { around });
  return { code: response.status, body: (await response.json()) as Answer['body'] };
}

async function made(path: string, body: object): Promise<void> {
  const { code, body: answer } = await send('POST', path, body);
  if (code !== 201) throw new Error(`${path}: ${answer.message}`);
}

const apply = (expression: string) => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } });
const json = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } });

const spec = (mutations: object[], more: object = {}): object => ({
  matchConstraints: {
    resourceRules: [
      { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
      { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
    ],
  },
  reinvocationPolicy: 'Never',
  mutations,
  ...more,
});

/** Makes policies, bound, and takes all away afterwards. */
async function under(specs: object[], act: () => Promise<void>, binding: object = {}): Promise<void> {
  const names = specs.map((_, index) => `p${index}`);
  try {
    for (const [index, spec] of specs.entries()) {
      const name = names[index] as string;
      await made(`${GROUP}/mutatingadmissionpolicies`, { metadata: { name }, spec });
      const bound = { metadata: { name }, spec: { policyName: name, ...binding } };
      await made(`${GROUP}/mutatingadmissionpolicybindings`, bound);
    }
    await act();
  } finally {
    for (const name of names) {
      await send('DELETE', `${GROUP}/mutatingadmissionpolicybindings/${name}`);
      await send('DELETE', `${GROUP}/mutatingadmissionpolicies/${name}`);
    }
  }
}

const map = (data: object = {}, labels: object = {}) => ({ metadata: { name: 'x', labels }, data });
const data = (text: string): string => `Object{data: ${text}}`;

beforeAll(async () => {
  const { token: minted } = await around
    .cluster('default')
    .mint({ user: 'admin', groups: ['system:masters'], ttlSeconds: 600 });
  token = minted;
  await made('/api/v1/namespaces', { metadata: { name: 'mut', labels: { tier: 'gold' } } });
});

const PARAMS = { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } };

describe('MutatingAdmissionPolicy', () => {
  it.each<[string, object[], object]>([
    ['merges a configuration', [spec([apply(data('{"b": "2"}'))])], { a: '1', b: '2' }],
    ['applies a JSON patch', [spec([json('[JSONPatch{op: "replace", path: "/data/a", value: "3"}]')])], { a: '3' }],
    ['escapes keys of paths', [spec([apply(data('{"b": jsonpatch.escapeKey("b~/c")}'))])], { a: '1', b: 'b~0~1c' }],
    [
      'applies nothing of a patch whose test fails',
      [
        spec([
          json(
            '[JSONPatch{op: "test", path: "/data/a", value: "2"}, JSONPatch{op: "add", path: "/data/b", value: "2"}]',
          ),
        ]),
      ],
      { a: '1' },
    ],
    [
      'sees what the mutation before has made',
      [spec([apply(data('{"b": "2"}')), apply(data('{"c": object.data.b + "!"}'))])],
      { a: '1', b: '2', c: '2!' },
    ],
    [
      'sees what the policy before has made',
      [spec([apply(data('{"b": "2"}'))]), spec([apply(data('{"c": object.data.b + "!"}'))])],
      { a: '1', b: '2', c: '2!' },
    ],
    [
      'computes variables, of namespace and request',
      [
        spec([apply(data('{"b": variables.tier + variables.user}'))], {
          variables: [
            { name: 'tier', expression: 'namespaceObject.metadata.labels.tier' },
            { name: 'user', expression: 'request.userInfo.username' },
          ],
        }),
      ],
      { a: '1', b: 'goldadmin' },
    ],
    [
      'is not asked where a condition does not hold',
      [spec([apply(data('{"b": "2"}'))], { matchConditions: [{ name: 'c', expression: 'object.data.a == "9"' }] })],
      { a: '1' },
    ],
    [
      'leaves alone what it need not change',
      [spec([json('object.data.a == "1" ? [] : [JSONPatch{op: "remove", path: "/data/a"}]')])],
      { a: '1' },
    ],
    [
      'is asked again when a later one has changed the object',
      [
        spec([apply(data('{"seen": has(object.data.b) ? "yes" : "no"}'))], { reinvocationPolicy: 'IfNeeded' }),
        spec([apply(data('{"b": "2"}'))]),
      ],
      { a: '1', b: '2', seen: 'yes' },
    ],
    [
      'is not asked again if it does not want to be',
      [spec([apply(data('{"seen": has(object.data.b) ? "yes" : "no"}'))]), spec([apply(data('{"b": "2"}'))])],
      { a: '1', b: '2', seen: 'no' },
    ],
    [
      'ignores what cannot be told',
      [spec([apply(data('{"b": object.data.nope}'))], { failurePolicy: 'Ignore' })],
      { a: '1' },
    ],
    [
      'is not asked without parameters where it need not be',
      [spec([apply(data('{"b": "2"}'))], PARAMS)],
      { a: '1', b: '2' },
    ],
  ])('%s', async (_, specs, expected) => {
    await under(specs, async () => {
      const { code, body } = await send('POST', `${MAPS}?dryRun=All`, map({ a: '1' }));
      expect([code, body.message]).toEqual([201, undefined]);
      expect(body.data).toEqual(expected);
    });
  });

  const denied = (why: string): string => `policy 'p0' with binding 'p0' denied request: ${why}`;
  it.each<[string, object, string, string]>([
    [
      'what cannot be told',
      apply(data('{"b": object.data.nope}')),
      'Invalid',
      denied(`expression 'Object{data: {"b": object.data.nope}}' resulted in error: no such key: nope`),
    ],
    [
      'fields that nobody knows',
      apply('Object{nope: 1}'),
      'Invalid',
      denied(
        'error applying patch: failed to convert patch object to typed object: .nope: field not declared in schema',
      ),
    ],
    [
      'types that belong elsewhere',
      apply('Object{metadata: Object.wrong{labels: {"a": "b"}}}'),
      'Invalid',
      denied(
        'type mismatch: unexpected type name "Object.wrong", expected "Object.metadata", which matches field name path from root Object type',
      ),
    ],
    [
      'a patch that fits nothing',
      json('[JSONPatch{op: "remove", path: "/data/none"}]'),
      'Invalid',
      denied('JSON Patch: '),
    ],
    [
      'fields of a patch that nobody knows',
      json('[JSONPatch{op: "add", path: "/nope", value: 1}]'),
      'InternalError',
      'unknown field "nope"',
    ],
    [
      'another kind',
      json('[JSONPatch{op: "replace", path: "/kind", value: "Secret"}]'),
      'InternalError',
      'may not change the kind',
    ],
  ])('refuses %s', async (_, mutation, reason, message) => {
    await under([spec([mutation])], async () => {
      const { body } = await send('POST', `${MAPS}?dryRun=All`, map({ a: '1' }));
      expect(body).toMatchObject({ reason, message: expect.stringContaining(message) });
    });
  });

  it('refuses to replace lists that do not merge', async () => {
    const mutation = apply(
      'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: "c", args: ["a"]}]}}}}',
    );
    await under([spec([mutation])], async () => {
      const { body } = await send('POST', `${DEPLOYMENTS}?dryRun=All`, deployment());
      const where = '.spec.template.spec.containers[0].args';
      const why = `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${where}`;
      expect(body).toMatchObject({ reason: 'Invalid', message: denied(`error applying patch: ${why}`) });
    });
  });

  const deployment = () => ({
    metadata: { name: 'd' },
    spec: {
      selector: { matchLabels: { app: 'a' } },
      template: {
        metadata: { labels: { app: 'a' } },
        spec: { containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: '1' }] }] },
      },
    },
  });

  it('merges lists by their keys, and what it sets is defaulted', async () => {
    const container = 'Object.spec.template.spec.initContainers';
    const mutation = apply(
      `Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{
        initContainers: [${container}{name: "proxy", image: "p", restartPolicy: "Always"}],
        containers: object.spec.template.spec.containers.map(c, Object.spec.template.spec.containers{
          name: c.name, env: [Object.spec.template.spec.containers.env{name: "B", value: "2"}]
        })
      }}}}`,
    );
    await under([spec([mutation])], async () => {
      const { body } = await send('POST', `${DEPLOYMENTS}?dryRun=All`, deployment());
      expect(body).toMatchObject({
        spec: {
          template: {
            spec: {
              initContainers: [{ name: 'proxy', restartPolicy: 'Always', imagePullPolicy: 'Always' }],
              containers: [
                {
                  name: 'c',
                  env: [
                    { name: 'A', value: '1' },
                    { name: 'B', value: '2' },
                  ],
                },
              ],
            },
          },
        },
      });
    });
  });

  it('is given parameters, each of which it is asked with', async () => {
    const param = (name: string) => ({ metadata: { name, labels: { params: 'yes' } }, data: { [name]: name } });
    await made(MAPS, param('one'));
    await made(MAPS, param('two'));
    const policy = spec([apply('Object{data: params.data}')], PARAMS);
    const create = () => send('POST', `${MAPS}?dryRun=All`, map());
    const selector = { matchLabels: { params: 'yes' } };
    await under([policy], async () => expect((await create()).body.data).toEqual({ one: 'one', two: 'two' }), {
      paramRef: { selector, parameterNotFoundAction: 'Deny' },
    });
    await under([policy], async () => expect((await create()).code).toBe(201), {
      paramRef: { name: 'none', parameterNotFoundAction: 'Allow' },
    });
    const why = 'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction';
    await under(
      [policy],
      async () => expect((await create()).body).toMatchObject({ code: 403, message: denied(why) }),
      {
        paramRef: { name: 'none', parameterNotFoundAction: 'Deny' },
      },
    );
    await send('DELETE', MAPS);
  });

  it('changes updates, patches, applies and what controllers write', async () => {
    const client = new StoreClient(around, 'default', 'some-controller');
    await under([spec([apply(data('{"n": request.operation}'))])], async () => {
      await made(MAPS, map({ a: '1' }));
      expect((await send('PUT', `${MAPS}/x`, map({ a: '2' }))).body.data).toEqual({ a: '2', n: 'UPDATE' });
      const patch = await send('PATCH', `${MAPS}/x`, { data: { n: 'mine' } }, 'application/merge-patch+json');
      expect(patch.body.data).toEqual({ a: '2', n: 'UPDATE' });
      const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'y' }, data: { b: '1' } };
      const path = `${MAPS}/y?fieldManager=me`;
      expect((await send('PATCH', path, applied, 'application/apply-patch+yaml')).body.data).toEqual({
        b: '1',
        n: 'CREATE',
      });
      const object = { metadata: { name: 'z', namespace: 'mut' } } as KubeObject;
      expect(await client.create('core/configmaps', object)).toMatchObject({ data: { n: 'CREATE' } });
    });
    await send('DELETE', MAPS);
  });

  it.each<[string, object, string]>([
    [
      'another type',
      apply('Object.spec{a: 1}'),
      'spec.mutations[0].applyConfiguration.expression: Invalid value: "Object.spec{a: 1}": must evaluate to Object',
    ],
    [
      'no list of patches',
      json('JSONPatch{op: "add"}'),
      'spec.mutations[0].jsonPatch.expression: Invalid value: "JSONPatch{op: \\"add\\"}": must evaluate to list(JSONPatch)',
    ],
    ['a type that there is not', apply('Thing{}'), "undeclared reference to 'Thing' (in container '')"],
    [
      'a variable that there is not',
      apply('Object{a: variables.x}'),
      "undeclared reference to 'variables' (in container '')",
    ],
  ])('is refused when it is %s', async (_, mutation, message) => {
    const { code, body } = await send('POST', `${GROUP}/mutatingadmissionpolicies`, {
      metadata: { name: 'bad' },
      spec: spec([mutation]),
    });
    expect(code).toBe(422);
    expect(body.message).toContain(message);
  });
});
