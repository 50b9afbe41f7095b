/** Who connects to what is admitted by policies and webhooks. */
import { env } from 'cloudflare:workers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { app } from '../../src/api/app.ts';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';

const around = surroundings(env as unknown as Env);
const GROUP = '/apis/admissionregistration.k8s.io/v1';
const NS = '/api/v1/namespaces/default';
let token = '';

async function send(method: string, path: string, body?: object): Promise<{ code?: number; message?: string }> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return (await app.fetch(new Request(`https://api${path}`, init), { around })).json();
}

const RULE = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CONNECT'],
  resources: ['pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy', 'services/proxy', 'nodes/proxy'],
};
/** What the webhook was asked. */
const asked: JsonObject[] = [];
let patch = '';

beforeAll(async () => {
  const { token: minted } = await around
    .cluster('default')
    .mint({ user: 'admin', groups: ['system:masters'], ttlSeconds: 600 });
  token = minted;
  await send('POST', `${GROUP}/validatingadmissionpolicies`, {
    metadata: { name: 'p' },
    spec: {
      matchConstraints: { resourceRules: [RULE] },
      matchConditions: [{ name: 'exec', expression: "request.subResource == 'exec'" }],
      validations: [
        {
          expression: "!(has(object.tty) && object.tty) && object.?command[?0].orValue('') != 'sh'",
          message: 'no shells',
        },
      ],
    },
  });
  await send('POST', `${GROUP}/validatingadmissionpolicybindings`, {
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'] },
  });
  await send('POST', `${GROUP}/mutatingwebhookconfigurations`, {
    metadata: { name: 'w' },
    webhooks: [
      {
        name: 'w.example.com',
        rules: [RULE],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        clientConfig: { url: 'https://hook.test/' },
      },
    ],
  });
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
    const { apiVersion, kind, request } = JSON.parse(String(init?.body)) as Record<string, JsonObject>;
    asked.push(request as JsonObject);
    const patched = patch === '' ? {} : { patch: btoa(patch), patchType: 'JSONPatch' };
    const response = { uid: request?.['uid'], allowed: request?.['name'] !== 'forbidden', ...patched };
    return new Response(JSON.stringify({ apiVersion, kind, response }));
  });
}, 60_000);
afterAll(() => {
  vi.restoreAllMocks();
});

describe('what is connected to', { timeout: 30_000 }, () => {
  it.each<[string, string, JsonObject]>([
    [
      'GET',
      `${NS}/pods/p/exec?command=ls&command=-l&container=c&stdin=true&stdout=1&tty=false`,
      { kind: 'PodExecOptions', stdin: true, stdout: true, container: 'c', command: ['ls', '-l'] },
    ],
    ['POST', `${NS}/pods/p/attach?stderr=true`, { kind: 'PodAttachOptions', stderr: true }],
    ['POST', `${NS}/pods/p/portforward?ports=80&ports=81`, { kind: 'PodPortForwardOptions', ports: [80, 81] }],
    ['GET', `${NS}/pods/p/proxy/a/b/`, { kind: 'PodProxyOptions', path: '/a/b/' }],
    ['PUT', `${NS}/services/p/proxy`, { kind: 'ServiceProxyOptions' }],
    ['GET', '/api/v1/nodes/p/proxy/pods', { kind: 'NodeProxyOptions', path: '/pods' }],
  ])('is told to webhooks: %s %s', async (method, path, options) => {
    asked.length = 0;
    // It is allowed, and then there is no such thing.
    expect(await send(method, path)).toMatchObject({ code: 404 });
    const { kind, ...rest } = options;
    const [, resource, subResource] = /(\w+)\/p\/(\w+)/.exec(path) ?? [];
    expect(asked).toEqual([
      {
        uid: expect.any(String),
        kind: { group: '', version: 'v1', kind },
        requestKind: { group: '', version: 'v1', kind },
        resource: { group: '', version: 'v1', resource },
        requestResource: { group: '', version: 'v1', resource },
        subResource,
        requestSubResource: subResource,
        name: 'p',
        ...(resource === 'nodes' ? {} : { namespace: 'default' }),
        operation: 'CONNECT',
        userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
        dryRun: false,
        object: { kind, apiVersion: 'v1', ...rest },
        oldObject: null,
      },
    ]);
  });

  it.each<[string, string, string]>([
    ['a policy', 'pods/p/exec?command=sh', "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no shells"],
    ['a policy, of a terminal', 'pods/p/exec?command=top&tty=true', 'denied request: no shells'],
    ['a webhook', 'pods/forbidden/attach', 'admission webhook "w.example.com" denied the request without explanation'],
    ['a webhook, of a proxy', 'services/forbidden/proxy/', 'denied the request without explanation'],
  ])('is refused by %s', async (_, path, message) => {
    expect((await send('GET', `${NS}/${path}`)).message).toContain(message);
  });

  it('is what was asked for: nobody may change it', async () => {
    patch = JSON.stringify([{ op: 'add', path: '/container', value: 'other' }]);
    expect((await send('GET', `${NS}/pods/p/attach`)).message).toContain('attempted to modify the object');
    patch = '';
  });

  it('is not asked about where logs are read', async () => {
    asked.length = 0;
    expect(await send('GET', `${NS}/pods/p/log`)).toMatchObject({ code: 404 });
    expect(asked).toEqual([]);
  });
});
