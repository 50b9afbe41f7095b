/** ValidatingAdmissionPolicies through the whole API server. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { app } from '../../src/api/app.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { StoreClient } from '../../src/durable-objects/store-client.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';

const around = surroundings(env as unknown as Env);
const MAPS = '/api/v1/namespaces/pol/configmaps';
const GROUP = '/apis/admissionregistration.k8s.io/v1';
let token = '';

interface Answer {
  code: number;
  message?: string;
  reason?: string;
  warnings: string | null;
}

async function send(method: string, path: string, body?: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await app.fetch(new Request(`https://api${path}`, init), { around });
  const { message, reason } = (await response.json()) as Answer;
  return {
    code: response.status,
    ...(message === undefined ? {} : { message }),
    ...(reason === undefined ? {} : { reason }),
    warnings: response.headers.get('warning'),
  };
}

async function made(path: string, body: object): Promise<void> {
  const { code, message } = await send('POST', path, body);
  if (code !== 201) throw new Error(`${path}: ${message}`);
}

/** Makes a policy on ConfigMaps, bound, and takes both away afterwards. */
async function under(spec: object, binding: object, act: () => Promise<void>): Promise<void> {
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] };
  await made(`${GROUP}/validatingadmissionpolicies`, {
    metadata: { name: 'p' },
    spec: { matchConstraints: { resourceRules: [rule] }, ...spec },
  });
  await made(`${GROUP}/validatingadmissionpolicybindings`, {
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
  });
  try {
    await act();
  } finally {
    await send('DELETE', `${GROUP}/validatingadmissionpolicybindings/b`);
    await send('DELETE', `${GROUP}/validatingadmissionpolicies/p`);
  }
}

const map = (name: string, data: object = {}, labels: object = {}) => ({ metadata: { name, labels }, data });
const denied = (why: string) =>
  `configmaps "x" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${why}`;

beforeAll(async () => {
  const { token: minted } = await around
    .cluster('default')
    .mint({ user: 'admin', groups: ['system:masters'], ttlSeconds: 600 });
  token = minted;
  await made('/api/v1/namespaces', { metadata: { name: 'pol', labels: { tier: 'gold' } } });
});

const check = (expression: string, more: object = {}) => ({ validations: [{ expression, ...more }] });

describe('ValidatingAdmissionPolicy', () => {
  it.each<[string, object, object, Partial<Answer>]>([
    [
      'says which expression failed',
      check("object.data.k == 'v'"),
      {},
      { code: 422, reason: 'Invalid', message: denied("failed expression: object.data.k == 'v'") },
    ],
    ['has its own message', check('false', { message: 'no' }), {}, { code: 422, message: denied('no') }],
    [
      'computes a message, of variables that are computed once',
      {
        variables: [
          { name: 'n', expression: 'object.metadata.name' },
          { name: 'm', expression: "variables.n + '!'" },
        ],
        ...check("variables.m == ''", { messageExpression: "'not ' + variables.m" }),
      },
      {},
      { code: 422, message: denied('not x!') },
    ],
    ['has a reason', check('false', { reason: 'Forbidden', message: 'no' }), {}, { code: 403, reason: 'Forbidden' }],
    [
      'denies what cannot be told',
      check('object.data.nope == 1'),
      {},
      { code: 422, message: denied("expression 'object.data.nope == 1' resulted in error: no such key: nope") },
    ],
    ['ignores what cannot be told', { failurePolicy: 'Ignore', ...check('object.data.nope == 1') }, {}, { code: 201 }],
    [
      'warns',
      check('false', { message: 'hm' }),
      { validationActions: ['Warn'] },
      { code: 201, warnings: `299 - "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': hm"` },
    ],
    ['only notes', check('false'), { validationActions: ['Audit'] }, { code: 201, warnings: null }],
    [
      'is not asked where a condition does not hold',
      { matchConditions: [{ name: 'c', expression: "request.userInfo.username != 'admin'" }], ...check('false') },
      {},
      { code: 201 },
    ],
    [
      'is not bound in other namespaces',
      check('false'),
      { matchResources: { namespaceSelector: { matchLabels: { tier: 'lead' } } } },
      { code: 201 },
    ],
    [
      'is bound where labels say so',
      check("namespaceObject.metadata.labels.tier != 'gold'"),
      { matchResources: { namespaceSelector: { matchLabels: { tier: 'gold' } } } },
      { code: 422 },
    ],
    [
      'leaves other objects alone',
      check('false'),
      { matchResources: { objectSelector: { matchLabels: { a: 'b' } } } },
      { code: 201 },
    ],
    [
      'asks the authorizer',
      check("authorizer.serviceAccount('pol', 'nobody').group('').resource('pods').check('list').allowed()"),
      {},
      { code: 422 },
    ],
    [
      'asks the authorizer of who asks',
      check("authorizer.requestResource.check('create').allowed()"),
      {},
      { code: 201 },
    ],
  ])('%s', async (_, spec, binding, expected) => {
    await under(spec, binding, async () => {
      expect(await send('POST', `${MAPS}?dryRun=All`, map('x', { k: '1' }))).toMatchObject(expected);
    });
  });

  it('is given parameters', async () => {
    await made(MAPS, map('limits', { most: '2' }, { params: 'yes' }));
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      ...check('object.?data.orValue({}).size() <= int(params.data.most)'),
    };
    const try2 = async (paramRef: object, data: object, expected: Partial<Answer>) =>
      under(spec, { paramRef }, async () => {
        expect(await send('POST', `${MAPS}?dryRun=All`, map('x', data))).toMatchObject(expected);
      });
    const three = { a: '1', b: '2', c: '3' };
    await try2({ name: 'limits', parameterNotFoundAction: 'Deny' }, three, { code: 422 });
    await try2({ name: 'limits', parameterNotFoundAction: 'Deny' }, {}, { code: 201 });
    const selector = { matchLabels: { params: 'yes' } };
    await try2({ selector, parameterNotFoundAction: 'Deny' }, three, { code: 422 });
    await try2({ name: 'none', parameterNotFoundAction: 'Allow' }, three, { code: 201 });
    await try2({ name: 'none', parameterNotFoundAction: 'Deny' }, three, {
      code: 422,
      message: denied(
        'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
      ),
    });
    await send('DELETE', `${MAPS}/limits`);
  });

  it('sees what was, in updates and in deletions', async () => {
    await made(MAPS, map('x', { k: '1' }));
    await made(MAPS, map('y', { k: '2' }));
    await under(check("request.operation == 'CREATE' || oldObject.data.k != '1'"), {}, async () => {
      const no = {
        code: 422,
        message: denied("failed expression: request.operation == 'CREATE' || oldObject.data.k != '1'"),
      };
      expect(await send('PUT', `${MAPS}/x`, map('x', { k: '3' }))).toMatchObject(no);
      expect(await send('DELETE', `${MAPS}/x`)).toMatchObject(no);
      expect(await send('DELETE', MAPS)).toMatchObject(no);
      expect(await send('GET', `${MAPS}/x`)).toMatchObject({ code: 200 });
      expect(await send('DELETE', `${MAPS}/y`)).toMatchObject({ code: 200 });
    });
    expect(await send('DELETE', `${MAPS}/x`)).toMatchObject({ code: 200 });
  });

  it('judges controllers, too', async () => {
    const client = new StoreClient(around, 'default', 'some-controller');
    const object = { metadata: { name: 'x', namespace: 'pol' } };
    await client.create('core/configmaps', object);
    const controllers = "!('system:serviceaccounts:kube-system' in request.userInfo.groups)";
    await under(check(controllers, { message: 'no' }), {}, async () => {
      // An isolate's knowledge of policies is as old as its snapshot.
      await vi.waitFor(
        () => expect(client.delete('core/configmaps', 'pol', 'x')).rejects.toThrow(denied('no')),
        30_000,
      );
      await expect(client.create('core/configmaps', object)).rejects.toThrow(denied('no'));
      await expect(client.update('core/configmaps', object)).rejects.toThrow(denied('no'));
    });
    await client.delete('core/configmaps', 'pol', 'x');
  });

  it('is refused when its expressions do not compile', async () => {
    const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] };
    const spec = { matchConstraints: { resourceRules: [rule] }, ...check("'a'") };
    const answer = await send('POST', `${GROUP}/validatingadmissionpolicies`, { metadata: { name: 'bad' }, spec });
    expect(answer.message).toContain(`spec.validations[0].expression: Invalid value: "'a'": must evaluate to bool`);
  });
});
