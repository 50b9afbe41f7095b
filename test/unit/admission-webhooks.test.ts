/** Admission webhooks against a server that does what a table says: what they change, what they refuse, and how they fail. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hookFact, MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS } from '../../src/api/admission/hooks/facts.ts';
import { Hooks } from '../../src/api/admission/hooks/hooks.ts';
import { Reinvocation } from '../../src/api/admission/hooks/reinvocation.ts';
import type { AdmissionPlugin, Attributes } from '../../src/api/admission/plugin.ts';
import { mutatingWebhook, validatingWebhook } from '../../src/api/admission/webhook/index.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { JsonObject, KubeObject, Status } from '../../src/apimachinery/meta.ts';
import { resourceById } from '../../src/resources/index.ts';

interface Request {
  uid: string;
  object: KubeObject & { data?: Record<string, string> };
}
type Reply = (request: Request, path: string) => object | string | number | undefined;

let server: Server;
let address = '';
let reply: Reply = () => undefined;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const review = JSON.parse(text) as { request: Request };
      const path = (request.url ?? '').replace(/\?.*$/, '');
      asked.push(path);
      const answer = reply(review.request, path);
      // Never answers.
      if (answer === undefined) return;
      if (typeof answer === 'number') response.writeHead(answer).end('oops');
      else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const said = (request: Request, response: object): object => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid: request.uid, ...response },
});
const yes: Reply = (request) => said(request, { allowed: true });
const patching = (...operations: object[]): Reply => {
  const patch = Buffer.from(JSON.stringify(operations)).toString('base64');
  return (request) => said(request, { allowed: true, patch, patchType: 'JSONPatch' });
};
const add = (path: string, value: unknown): object => ({ op: 'add', path, value });

/** The cluster's nodes, none of which holds its session, and those that a call was tried through. */
let nodes: object[] = [];
const tried: string[] = [];
const nodeSession = (_: string, node: string) => ({
  async fetch() {
    tried.push(node);
    const message = `error dialing backend: node ${JSON.stringify(node)} is not connected`;
    return { webSocket: null, json: async () => ({ message }) };
  },
});

let store = {};
const around = { store: () => store, nodeSession };

let version = 0;

interface Asked {
  object: KubeObject & { data?: Record<string, string> };
  warnings: string[];
  /** Of the audit log. */
  annotations: Record<string, string>;
  error: Status | undefined;
}

/** What becomes of a new ConfigMap under these webhooks. */
async function under(plugin: AdmissionPlugin, webhooks: object[], dryRun = false): Promise<Asked> {
  asked.length = 0;
  const id = plugin === mutatingWebhook ? MUTATING_WEBHOOKS : VALIDATING_WEBHOOKS;
  const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }];
  const configuration = {
    metadata: { name: 'c', resourceVersion: String(++version) },
    webhooks: webhooks.map((webhook, index) => ({
      name: `w${index}.example.com`,
      rules,
      sideEffects: 'None',
      timeoutSeconds: 1,
      admissionReviewVersions: ['v1'],
      clientConfig: { url: `${address}/${index}` },
      ...webhook,
    })),
  };
  store = {
    get: async () => JSON.stringify(configuration),
    list: async () => ({ items: nodes.map((node) => JSON.stringify(node)).join(), resourceVersion: '1' }),
  };
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'm', namespace: 'ns', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' },
    data: {},
  };
  const warnings: string[] = [];
  const annotations: Record<string, string> = {};
  const annotate = (key: string, value: string): void => {
    annotations[key] = value;
  };
  const attributes = {
    context: {
      info: { cluster: 'c', namespace: 'ns', name: '' },
      user: { name: 'admin', uid: '', groups: ['g'], extra: {} },
      around,
      warnings,
      audit: { annotate },
      snapshot: { hooks: new Hooks([hookFact(id, configuration as unknown as KubeObject)]) },
    },
    resource: resourceById('core/configmaps'),
    operation: 'CREATE',
    subresource: '',
    object,
    options: { fieldManager: 'x', dryRun, fieldValidation: 'Ignore' },
  } as unknown as Attributes;
  try {
    if (plugin.handles(attributes)) {
      const reinvocation = new Reinvocation();
      await plugin.admit?.({ ...attributes, reinvocation });
      if (reinvocation.begin()) await plugin.admit?.({ ...attributes, reinvocation });
      await plugin.validate?.(attributes);
    }
    return { object, warnings, annotations, error: undefined };
  } catch (error) {
    if (error instanceof StatusError) return { object, warnings, annotations, error: error.status };
    throw error;
  }
}

const failing = (why: string) => `Internal error occurred: failed calling webhook "w0.example.com": ${why}`;
const post = (why: string) => failing(`failed to call webhook: Post "${address}/0?timeout=1s": ${why}`);

describe('the audit log', () => {
  const notes = { kept: 'yes', dropped: 1 };
  const name = 'w0.example.com';
  it('has what a webhook wants it to have, and whether it changed anything', async () => {
    const patch = Buffer.from(JSON.stringify([add('/data/a', 'b')])).toString('base64');
    reply = (request, path) =>
      path === '/0'
        ? said(request, { allowed: true, auditAnnotations: notes })
        : said(request, { allowed: true, patch, patchType: 'JSONPatch' });
    const { annotations } = await under(mutatingWebhook, [{ reinvocationPolicy: 'IfNeeded' }, {}]);
    const of = (webhook: string, mutated: boolean) => JSON.stringify({ configuration: 'c', webhook, mutated });
    expect(annotations).toEqual({
      [`${name}/kept`]: 'yes',
      'mutation.webhook.admission.k8s.io/round_0_index_0': of(name, false),
      'mutation.webhook.admission.k8s.io/round_0_index_1': of('w1.example.com', true),
      'mutation.webhook.admission.k8s.io/round_1_index_0': of(name, false),
    });
  });

  it.each<[string, AdmissionPlugin]>([
    ['validating', validatingWebhook],
    ['mutation', mutatingWebhook],
  ])('has which webhook was not heard: %s', async (kind, plugin) => {
    reply = () => 500;
    const { error, annotations } = await under(plugin, [{ failurePolicy: 'Ignore' }]);
    expect(error).toBeUndefined();
    expect(annotations).toMatchObject({ [`failed-open.${kind}.webhook.admission.k8s.io/round_0_index_0`]: name });
  });
});

describe('a webhook that refuses', () => {
  it.each<[string, object, number, string]>([
    [
      'with a reason',
      { status: { code: 403, message: 'no' } },
      403,
      'admission webhook "w0.example.com" denied the request: no',
    ],
    ['without one', {}, 400, 'admission webhook "w0.example.com" denied the request without explanation'],
    [
      'as if all were well',
      { status: { code: 200, status: 'Success', reason: 'Hm' } },
      400,
      'admission webhook "w0.example.com" denied the request: Hm',
    ],
  ])('%s', async (_, response, code, message) => {
    reply = (request) => said(request, { allowed: false, ...response });
    for (const plugin of [validatingWebhook, mutatingWebhook]) {
      const { error } = await under(plugin, [{}]);
      expect(error).toMatchObject({ code, message, status: 'Failure' });
    }
  });
});

describe('a webhook that fails', () => {
  it.each<[string, Reply, () => string]>([
    ['is slow', () => undefined, () => post('context deadline exceeded')],
    [
      'answers garbage',
      () => 'what?',
      () => failing("failed to call webhook: couldn't get version/kind; json parse error"),
    ],
    ['answers nothing', () => ({}), () => failing('received invalid webhook response: webhook response was absent')],
    [
      'is out of order',
      () => 503,
      () => failing('failed to call webhook: the server is currently unable to handle the request'),
    ],
    ['is lost', () => 404, () => failing('failed to call webhook: the server could not find the requested resource')],
    [
      'breaks',
      () => 500,
      () =>
        failing('failed to call webhook: an error on the server ("oops") has prevented the request from succeeding'),
    ],
    [
      'answers another',
      () => said({ uid: 'x' } as Request, { allowed: true }),
      () => failing('received invalid webhook response: expected response.uid='),
    ],
    [
      'patches what it may only judge',
      patching(add('/data/k', 'v')),
      () => failing('received invalid webhook response: validating webhook may not return response.patch'),
    ],
  ])('%s', async (_, does, message) => {
    reply = does;
    const closed = await under(validatingWebhook, [{}]);
    expect(closed.error).toMatchObject({ code: 500, reason: 'InternalError' });
    expect(closed.error?.message).toContain(message());
    expect((await under(validatingWebhook, [{ failurePolicy: 'Ignore' }])).error).toBeUndefined();
  });

  it('is down', async () => {
    const { error } = await under(validatingWebhook, [{ clientConfig: { url: 'http://127.0.0.1:1/' } }]);
    expect(error?.message).toContain(failing('failed to call webhook: Post "http://127.0.0.1:1/?timeout=1s": '));
  });

  it.each<[string, Reply, string]>([
    [
      'that does not fit',
      patching({ op: 'remove', path: '/data/none' }),
      'Internal error occurred: the server rejected',
    ],
    ['of the kind', patching(add('/kind', 'Secret')), 'a mutation may not change the kind'],
    [
      'of the namespace',
      patching(add('/metadata/namespace', 'kube-system')),
      'the namespace of the provided object does not match',
    ],
    ['that makes it unreadable', patching(add('/data', 5)), 'Internal error occurred: '],
    [
      'of an unknown type',
      (request) => said(request, { allowed: true, patch: 'W10=', patchType: 'Magic' }),
      'unsupported patch type "Magic"',
    ],
  ])('has a patch %s', async (_, does, message) => {
    reply = does;
    expect((await under(mutatingWebhook, [{}])).error?.message).toContain(message);
  });

  it('with a CA of its own is called through any Ready node that is connected, and by fetch without one', async () => {
    const clientConfig = { url: 'https://hook.test/x', caBundle: btoa('a CA') };
    const said = (why: string) => failing(`failed to call webhook: Post "https://hook.test/x?timeout=1s": ${why}`);
    const node = (name: string, status: string) => ({
      metadata: { name },
      status: { conditions: [{ type: 'Ready', status }] },
    });
    nodes = [node('away', 'Unknown')];
    const none = await under(validatingWebhook, [{ clientConfig }]);
    expect(none.error?.message).toBe(said('no node of the cluster is ready'));
    nodes = [node('a', 'True'), node('away', 'False'), node('b', 'True')];
    tried.length = 0;
    const { error } = await under(validatingWebhook, [{ clientConfig }]);
    expect(error?.message).toBe(said(`error dialing backend: node ${JSON.stringify(tried.at(-1))} is not connected`));
    expect(tried.toSorted()).toEqual(['a', 'b']);
    tried.length = 0;
    nodes = [node('c', 'True')];
    await under(validatingWebhook, [{ clientConfig }]);
    expect(tried).toEqual(['c']);
    expect((await under(validatingWebhook, [{ clientConfig, failurePolicy: 'Ignore' }])).error).toBeUndefined();
    tried.length = 0;
    reply = yes;
    expect((await under(validatingWebhook, [{ clientConfig: { url: `${address}/`, caBundle: '' } }])).error).toBe(
      undefined,
    );
    expect(tried).toEqual([]);
  });

  it('is called by https alone where it has a CA of its own', async () => {
    const { error } = await under(validatingWebhook, [
      { clientConfig: { url: `${address}/0`, caBundle: btoa('a CA') } },
    ]);
    expect(error?.message).toBe(post('unsupported protocol scheme "http"'));
  });

  it('is not asked in a dry run where it has side effects', async () => {
    reply = yes;
    const { error } = await under(validatingWebhook, [{ sideEffects: 'Some' }], true);
    expect(error).toMatchObject({ code: 400, message: 'admission webhook "w0.example.com" does not support dry run' });
    expect((await under(validatingWebhook, [{ sideEffects: 'NoneOnDryRun' }], true)).error).toBeUndefined();
  });

  it('is outlived when it asks itself', async () => {
    let depth = 0;
    reply = (request) => {
      depth++;
      if (depth < 4) void fetch(`${address}/0`, { method: 'POST', body: JSON.stringify({ request }) }).catch(() => {});
      return undefined;
    };
    expect((await under(validatingWebhook, [{}])).error?.message).toBe(post('context deadline exceeded'));
    expect(depth).toBe(4);
  });
});

describe('webhooks that change', () => {
  it('see what those before them have made, and keep what the server gave', async () => {
    reply = (request, path) =>
      patching(
        add(`/data/k${path.slice(1)}`, String(Object.keys(request.object.data ?? {}).length)),
        add('/metadata/uid', 'mine'),
      )(request, path);
    const { object, error } = await under(mutatingWebhook, [{}, {}]);
    expect(error).toBeUndefined();
    expect(object.data).toEqual({ k0: '0', k1: '1' });
    expect(object.metadata.uid).toBe('u');
  });

  it('are asked again where they want it, after others have changed something', async () => {
    reply = (request, path) =>
      path === '/1' && request.object.data?.['k'] === undefined
        ? patching(add('/data/k', 'v'))(request, path)
        : yes(request, path);
    await under(mutatingWebhook, [{ reinvocationPolicy: 'IfNeeded' }, {}]);
    expect(asked).toEqual(['/0', '/1', '/0']);
    await under(mutatingWebhook, [{}, {}]);
    expect(asked).toEqual(['/0', '/1']);
  });
});

describe('which webhooks are asked', () => {
  const conditions = (expression: string): JsonObject => ({ matchConditions: [{ name: 'c', expression }] });

  it.each<[string, object, string[]]>([
    ['one whose condition holds', conditions("object.metadata.name == 'm'"), ['/0']],
    ['none whose condition does not', conditions("request.userInfo.username == 'x'"), []],
    ['none for other objects', { objectSelector: { matchLabels: { a: 'b' } } }, []],
    [
      'none for other versions',
      { rules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['v2'], resources: ['*'] }] },
      [],
    ],
    [
      'none for what has no namespace',
      { rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], scope: 'Cluster' }] },
      [],
    ],
    ['one that cannot tell, and fails open', { failurePolicy: 'Ignore', ...conditions("object.none == 'm'") }, []],
  ])('%s', async (_, webhook, expected) => {
    reply = yes;
    expect((await under(validatingWebhook, [webhook])).error).toBeUndefined();
    expect(asked).toEqual(expected);
  });

  it('fails closed where a condition cannot be told', async () => {
    const { error } = await under(validatingWebhook, [conditions("object.none == 'm'")]);
    expect(error).toMatchObject({ code: 403, reason: 'Forbidden' });
    expect(error?.message).toContain("expression 'object.none == 'm'' resulted in error: no such key: none");
  });

  it('passes warnings on', async () => {
    reply = (request) => said(request, { allowed: true, warnings: ['careful'] });
    expect((await under(validatingWebhook, [{}])).warnings).toEqual(['careful']);
  });
});
