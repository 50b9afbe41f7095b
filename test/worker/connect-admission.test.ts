/** Who connects to what is admitted by policies and webhooks. */
import { env } from 'cloudflare:workers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { app } from '../../src/api/app.ts';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { StoreClient } from '../../src/durable-objects/store-client.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';
import type { Pod } from '../../src/generated/types/core.v1.ts';

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
    const patched =
      patch === ''
        ? {}
        : { patch: btoa(String.fromCharCode(...new TextEncoder().encode(patch))), patchType: 'JSONPatch' };
    const response = { uid: request?.['uid'], allowed: request?.['name'] !== 'forbidden', ...patched };
    return new Response(JSON.stringify({ apiVersion, kind, response }));
  });
});
afterAll(() => {
  vi.restoreAllMocks();
});

describe('what is connected to', () => {
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
    ['GET', '/api/v1/nodes/p/proxy/%70ods/a%2f%ff', { kind: 'NodeProxyOptions', path: '/pods/a/\ufffd' }],
    ['GET', '/api/v1/nodes/p/proxy/%70o%20%C3%BC?path=x', { kind: 'NodeProxyOptions', path: '/po ü' }],
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

  it('is not asked about where logs are read', async () => {
    asked.length = 0;
    expect(await send('GET', `${NS}/pods/p/log`)).toMatchObject({ code: 404 });
    expect(asked).toEqual([]);
  });
});

interface Opened {
  container: string;
  query: string;
  http?: { path: string };
}

describe('what a webhook or a policy changes', () => {
  let agent: WebSocket;
  const opened: Opened[] = [];

  beforeAll(async () => {
    const client = new StoreClient(around, 'default', 'test');
    const spec = { nodeName: 'n', containers: ['c', 'd'].map((name) => ({ name, image: 'x' })) };
    await client.create('core/serviceaccounts', { metadata: { name: 'default', namespace: 'default' } });
    await client.create<Pod>('core/pods', { metadata: { name: 'two', namespace: 'default' }, spec } as Pod);
    await client.create('core/nodes', { metadata: { name: 'n' } });
    const url = 'https://x/zeroplane/v1/nodes/n/session';
    const session = around.nodeSession('default', 'n');
    const { webSocket } = await session.fetch(new Request(url, { headers: { upgrade: 'websocket' } }));
    agent = webSocket as WebSocket;
    agent.addEventListener('message', ({ data }) => {
      const { open } = JSON.parse(String(data)) as { open: Opened & { id: string } };
      opened.push(open);
      // Nobody answers: who waits is told so.
      void session
        .fetch(new Request(`https://x/zeroplane/v1/nodes/n/streams/${open.id}`, { headers: { upgrade: 'websocket' } }))
        .then(({ webSocket: stream }) => {
          stream?.accept();
          stream?.close(1011, 'no');
        });
    });
    agent.accept();
    const policy = {
      metadata: { name: 'm' },
      spec: {
        matchConstraints: { resourceRules: [{ ...RULE, resources: ['pods/exec'] }] },
        reinvocationPolicy: 'IfNeeded',
        mutations: [
          {
            patchType: 'JSONPatch',
            jsonPatch: {
              expression:
                "object.?container.orValue('') == 'by-policy' ? [JSONPatch{op: 'replace', path: '/container', value: 'c'}] : []",
            },
          },
        ],
      },
    };
    expect(await send('POST', `${GROUP}/mutatingadmissionpolicies`, policy)).not.toHaveProperty('code');
    await send('POST', `${GROUP}/mutatingadmissionpolicybindings`, {
      metadata: { name: 'm' },
      spec: { policyName: 'm' },
    });
  });
  afterAll(() => agent.close());

  const change = (...operations: [op: string, path: string, value?: unknown][]): string =>
    JSON.stringify(operations.map(([op, path, value]) => ({ op, path, value })));

  /** What its node is asked for. */
  async function carriedOut(path: string, patched: string): Promise<Opened | undefined> {
    patch = patched;
    opened.length = 0;
    const protocol = path.includes('portforward') ? 'v4.channel.k8s.io' : 'v5.channel.k8s.io';
    const headers = { authorization: `Bearer ${token}`, upgrade: 'websocket', 'sec-websocket-protocol': protocol };
    const answer = await app.fetch(new Request(`https://api${path}`, { headers }), { around });
    answer.webSocket?.accept();
    answer.webSocket?.close();
    patch = '';
    expect(opened.length, answer.status === 101 ? '' : await answer.text()).toBe(1);
    return opened[0];
  }

  it.each<[string, string, string, string, string]>([
    ['nothing', 'exec?container=d&command=ls&x=1', '', 'd', 'container=d&command=ls&x=1'],
    [
      'no thing that is new',
      'exec?container=d&command=ls',
      change(['add', '/container', 'd']),
      'd',
      'container=d&command=ls',
    ],
    [
      'the container',
      'exec?container=d&command=ls',
      change(['replace', '/container', 'c']),
      'c',
      'command=ls&container=c',
    ],
    [
      'the command',
      'exec?container=d&command=sh&stdin=1&tty=0',
      change(['add', '/command', ['echo', 'a b', 'ü&x=y']], ['remove', '/stdin']),
      'd',
      'container=d&command=echo&command=a+b&command=%C3%BC%26x%3Dy',
    ],
    [
      'stdin',
      'attach?container=d&stdout=true',
      change(['add', '/stdin', true]),
      'd',
      'stdin=true&stdout=true&container=d',
    ],
    ['ports', 'portforward?ports=80', change(['add', '/ports/-', 81]), '', 'ports=80&ports=81'],
    ['by a policy, asked again', 'exec?container=by-policy&command=ls', '', 'c', 'container=c&command=ls'],
    [
      'by a webhook and then a policy that wants to know',
      'exec?container=d&command=ls',
      change(['add', '/container', 'by-policy']),
      'c',
      'container=c&command=ls',
    ],
  ])('is carried out: %s', async (_, path, patched, container, query) => {
    const said = await carriedOut(`${NS}/pods/two/${path}`, patched);
    expect(said?.container).toBe(container);
    expect([...new URLSearchParams(said?.query)].toSorted()).toEqual([...new URLSearchParams(query)].toSorted());
  });

  it.each<[string, string, string, string]>([
    ['nothing', 'pods/two/proxy/a%20b/?path=c', '', '/a%20b/?path=c'],
    ['the path', 'pods/two/proxy/a/?q=1', change(['add', '/path', '/x/y?z#%41 ü']), '/x/y%3Fz%23%2541%20%C3%BC?q=1'],
    ['an end of it all', 'pods/two/proxy/a/b', change(['remove', '/path']), '/'],
    ['a way out', 'nodes/n/proxy/a/b', change(['add', '/path', '/../../../x/../y']), '/y'],
  ])('is passed on: %s', async (_, path, patched, expected) => {
    const under = path.startsWith('nodes') ? '/api/v1' : NS;
    expect((await carriedOut(`${under}/${path}`, patched))?.http?.path).toBe(expected);
  });

  it.each<[string, string, RegExp]>([
    [
      'another kind',
      change(['replace', '/kind', 'PodAttachOptions']),
      /a mutation may not change the kind of PodExecOptions/,
    ],
    ['no options at all', change(['add', '/command', { a: 1 }]), /^Internal error occurred: /],
    ['a container that there is not', change(['add', '/container', 'e']), /^container e is not valid for pod two$/],
    ['what others refuse', change(['add', '/command', ['sh']]), /no shells/],
  ])('cannot be %s', async (_, patched, why) => {
    patch = patched;
    opened.length = 0;
    const headers = { upgrade: 'websocket', 'sec-websocket-protocol': 'v5.channel.k8s.io' };
    const path = `https://api${NS}/pods/two/exec?command=ls&container=c`;
    const request = new Request(path, { headers: { ...headers, authorization: `Bearer ${token}` } });
    const { message } = await (await app.fetch(request, { around })).json<{ message: string }>();
    patch = '';
    expect(message).toMatch(why);
    expect(opened).toEqual([]);
  });
});
