/** Custom resources whose versions a webhook converts, through the whole API server. */
import { env } from 'cloudflare:workers';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { app } from '../../src/api/app.ts';
import type { JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { StoreClient } from '../../src/durable-objects/store-client.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';

const around = surroundings(env as unknown as Env);
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const at = (version: string): string => `/apis/conv.io/${version}/namespaces/default/links`;
let token = '';

interface Link extends KubeObject {
  spec?: { host?: string; port?: string; address?: string };
  status?: { up?: boolean };
  items?: Link[];
  message?: string;
  code?: number;
}

async function request(method: string, path: string, body?: object, headers: object = {}): Promise<Response> {
  const all = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers };
  const init = { method, headers: all, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return app.fetch(new Request(`https://api${path}`, init), { around });
}

async function send(method: string, path: string, body?: object, headers: object = {}): Promise<Link> {
  return (await request(method, path, body, headers)).json();
}

interface Review {
  apiVersion: string;
  kind: string;
  request: { uid: string; desiredAPIVersion: string; objects: Link[] };
}
type Answer = (review: Review) => unknown;

/** v1 has a host and a port, v2 an address of both. */
function converted({ spec = {}, ...rest }: Link, apiVersion: string): Link {
  const [host = '', port = ''] = spec.address?.split(':') ?? [];
  return apiVersion === 'conv.io/v2'
    ? { ...rest, apiVersion, spec: { address: `${spec.host}:${spec.port}` } }
    : { ...rest, apiVersion, spec: { host, port } };
}

const response = ({ apiVersion, kind, request: { uid } }: Review, more: object): JsonObject =>
  ({ apiVersion, kind, response: { uid, result: { status: 'Success' }, ...more } }) as unknown as JsonObject;
const good: Answer = (review) => {
  const { desiredAPIVersion, objects } = review.request;
  return response(review, { convertedObjects: objects.map((object) => converted(object, desiredAPIVersion)) });
};
/** One that makes `change` of what it would have answered. */
const wrong =
  (change: (link: Link) => unknown): Answer =>
  (review) => {
    const { desiredAPIVersion, objects } = review.request;
    return response(review, { convertedObjects: objects.map((o) => change(converted(o, desiredAPIVersion))) });
  };

let answer: Answer = good;
/** Objects of each review, and what they were to become. */
const asked: string[] = [];

const text = { type: 'string' };
const schema = (fields: object) => ({
  openAPIV3Schema: {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: fields },
      status: { type: 'object', properties: { up: { type: 'boolean' } } },
    },
  },
});
const definition = (storage: 'v1' | 'v2') => ({
  metadata: { name: 'links.conv.io' },
  spec: {
    group: 'conv.io',
    scope: 'Namespaced',
    names: { plural: 'links', kind: 'Link' },
    conversion: {
      strategy: 'Webhook',
      webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://convert.test/links' } },
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: storage === 'v1',
        subresources: { status: {} },
        schema: schema({ host: text, port: text }),
      },
      {
        name: 'v2',
        served: true,
        storage: storage === 'v2',
        subresources: { status: {} },
        schema: schema({ address: text }),
        additionalPrinterColumns: [{ name: 'Address', type: 'string', jsonPath: '.spec.address' }],
      },
    ],
  },
});

const link = (name: string, version: 'v1' | 'v2', more: object = {}) => ({
  apiVersion: `conv.io/${version}`,
  kind: 'Link',
  metadata: { name, ...more },
  spec: version === 'v1' ? { host: name, port: '1' } : { address: `${name}:1` },
});

beforeAll(async () => {
  const { token: minted } = await around
    .cluster('default')
    .mint({ user: 'admin', groups: ['system:masters'], ttlSeconds: 600 });
  token = minted;
  const { metadata } = await send('POST', DEFINITIONS, definition('v1'));
  // Controllers, which would do this, are off.
  const conditions = ['NamesAccepted', 'Established'].map((type) => ({ type, status: 'True' }));
  const status = { conditions, acceptedNames: { plural: 'links', kind: 'Link' }, storedVersions: ['v1'] };
  await send('PUT', `${DEFINITIONS}/links.conv.io/status`, { ...definition('v1'), metadata, status });
  await vi.waitFor(async () => expect((await request('GET', at('v1'))).status).toBe(200), 30_000);
});

beforeEach(() => {
  answer = good;
  asked.length = 0;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
    expect(String(url)).toBe('https://convert.test/links?timeout=30s');
    const review = JSON.parse(String(init?.body)) as Review;
    const { desiredAPIVersion, objects } = review.request;
    asked.push(`${objects.map(({ metadata }) => metadata.name).join()} to ${desiredAPIVersion}`);
    const said = answer(review);
    if (said instanceof Response) return said;
    if (said instanceof Error) throw said;
    return new Response(typeof said === 'string' ? said : JSON.stringify(said));
  });
});
afterEach(async () => {
  answer = good;
  await send('DELETE', at('v1'));
  vi.restoreAllMocks();
});

const MERGE = { 'content-type': 'application/merge-patch+json' };
const APPLY = { 'content-type': 'application/apply-patch+yaml' };

describe('a resource that a webhook converts', () => {
  it('is made in one version and read in all', async () => {
    expect((await send('POST', at('v2'), link('a', 'v2'))).spec).toEqual({ address: 'a:1' });
    expect(asked).toEqual(['a to conv.io/v1', 'a to conv.io/v2']);
    expect(await send('GET', `${at('v2')}/a`)).toMatchObject({ apiVersion: 'conv.io/v2', spec: { address: 'a:1' } });
    asked.length = 0;
    expect(await send('GET', `${at('v1')}/a`)).toMatchObject({
      apiVersion: 'conv.io/v1',
      spec: { host: 'a', port: '1' },
    });
    expect(asked).toEqual([]);
  });

  it('is listed with one question for all, and not asked about what needs none', async () => {
    for (const name of ['a', 'b', 'c']) await send('POST', at('v1'), link(name, 'v1'));
    expect(asked).toEqual([]);
    const { items = [] } = await send('GET', at('v2'));
    expect(items.map(({ spec }) => spec?.address)).toEqual(['a:1', 'b:1', 'c:1']);
    expect(asked).toEqual(['a,b,c to conv.io/v2']);
    const table = await send('GET', at('v2'), undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    expect(table).toMatchObject({ rows: [{ cells: ['a', 'a:1'] }, { cells: ['b', 'b:1'] }, { cells: ['c', 'c:1'] }] });
  });

  it('is asked in several reviews about what is too large for one', async () => {
    for (const name of ['a', 'b', 'c']) {
      await send('POST', at('v1'), { ...link(name, 'v1'), spec: { host: 'x'.repeat(600_000), port: '1' } });
    }
    const { items = [] } = await send('GET', at('v2'));
    expect(items.map(({ spec }) => spec?.address?.length)).toEqual([600_002, 600_002, 600_002]);
    expect(asked).toEqual(['a to conv.io/v2', 'b to conv.io/v2', 'c to conv.io/v2']);
  });

  it('is updated, patched and applied in any version', async () => {
    const made = await send('POST', at('v1'), link('a', 'v1'));
    const put = { ...link('a', 'v2', { resourceVersion: made.metadata.resourceVersion }), spec: { address: 'b:2' } };
    expect((await send('PUT', `${at('v2')}/a`, put)).spec).toEqual({ address: 'b:2' });
    expect((await send('GET', `${at('v1')}/a`)).spec).toEqual({ host: 'b', port: '2' });
    expect((await send('PATCH', `${at('v2')}/a`, { spec: { address: 'c:3' } }, MERGE)).spec).toEqual({
      address: 'c:3',
    });
    expect((await send('PATCH', `${at('v1')}/a`, { spec: { port: '4' } }, MERGE)).spec).toEqual({
      host: 'c',
      port: '4',
    });
    expect((await send('PATCH', `${at('v2')}/a/status`, { status: { up: true } }, MERGE)).status).toEqual({ up: true });
    const after = await send('GET', `${at('v2')}/a`);
    expect(after).toMatchObject({ spec: { address: 'c:4' }, status: { up: true }, metadata: { generation: 4 } });
    const dry = await send('PATCH', `${at('v2')}/a?dryRun=All`, { spec: { address: 'd:5' } }, MERGE);
    expect(dry.spec).toEqual({ address: 'd:5' });
    expect((await send('GET', `${at('v1')}/a`)).spec).toEqual({ host: 'c', port: '4' });
  });

  it('knows across versions whose a field is', async () => {
    const apply = (version: 'v1' | 'v2', manager: string, spec: object, force = '') =>
      send('PATCH', `${at(version)}/a?fieldManager=${manager}${force}`, { ...link('a', version), spec }, APPLY);
    expect((await apply('v2', 'one', { address: 'a:1' })).spec).toEqual({ address: 'a:1' });
    const refused = await apply('v2', 'two', { address: 'a:2' });
    expect(refused).toMatchObject({ code: 409, message: expect.stringContaining('conflict with "one"') });
    // Another version's fields are not those of the first, but what they stand for has changed.
    expect((await apply('v1', 'two', { host: 'b', port: '2' }, '&force=true')).spec).toEqual({ host: 'b', port: '2' });
    const { metadata } = await send('GET', `${at('v2')}/a`);
    expect(metadata.managedFields?.map(({ manager, apiVersion }) => [manager, apiVersion])).toEqual([
      ['two', 'conv.io/v1'],
    ]);
  });

  it('is watched in any version, in order', async () => {
    const { metadata } = await send('GET', at('v2'));
    const watching = await request('GET', `${at('v2')}?watch=1&resourceVersion=${metadata.resourceVersion}`);
    for (const name of ['a', 'b']) await send('POST', at('v1'), link(name, 'v1'));
    await send('DELETE', `${at('v1')}/a`);
    const events = await eventsOf(watching, 3);
    expect(events.map(({ type, object }) => [type, object.spec?.address])).toEqual([
      ['ADDED', 'a:1'],
      ['ADDED', 'b:1'],
      ['DELETED', 'a:1'],
    ]);
  });

  it('ends a watch with an error when the webhook fails', async () => {
    const { metadata } = await send('GET', at('v2'));
    const watching = await request('GET', `${at('v2')}?watch=1&resourceVersion=${metadata.resourceVersion}`);
    answer = () => new Error('connection refused');
    await send('POST', at('v1'), link('a', 'v1'));
    const [event] = await eventsOf(watching, 1);
    expect(event).toMatchObject({
      type: 'ERROR',
      object: { code: 500, message: expect.stringContaining('connection refused') },
    });
  });

  it('can be deleted, and is seen by controllers, without it', async () => {
    await send('POST', at('v1'), link('a', 'v1'));
    await send('POST', at('v1'), link('b', 'v1', { finalizers: ['conv.io/f'] }));
    answer = () => new Error('connection refused');
    const client = new StoreClient(around, 'default', 'some-controller');
    const { items } = await client.list('conv.io/links');
    expect(items.map((item) => item.metadata.name)).toEqual(['a', 'b']);
    await client.delete('conv.io/links', 'default', 'a');
    await client.delete('conv.io/links', 'default', 'b');
    await client.patch('conv.io/links', 'default', 'b', 'merge', { metadata: { finalizers: null } });
    expect((await client.list('conv.io/links')).items).toEqual([]);
  });

  it.each<[string, Answer, string]>([
    [
      'is down',
      () => new Error('connection refused'),
      'failed: Post "https://convert.test/links?timeout=30s": connection refused',
    ],
    [
      'fails',
      () => new Response('oops', { status: 500 }),
      'failed: an error on the server ("oops") has prevented the request from succeeding',
    ],
    ['answers no JSON', () => 'hello', `failed: couldn't get version/kind; json parse error: `],
    [
      'answers nothing',
      () => ({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview' }),
      'failed: no response provided',
    ],
    [
      'answers another kind',
      () => ({ apiVersion: 'v1', kind: 'Status' }),
      'failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got v1, Kind=Status',
    ],
    ['answers another', (r) => response(r, { uid: 'x' }), 'failed: expected response.uid='],
    ['refuses', (r) => response(r, { result: { status: 'Failure', message: 'cannot' } }), 'failed: cannot'],
    [
      'refuses without a word',
      (r) => response(r, { result: {} }),
      "failed: response.result.status was '', not 'Success'",
    ],
    ['answers fewer', (r) => response(r, { convertedObjects: [] }), 'returned 0 objects, expected 1'],
    ['answers more', (r) => response(r, { convertedObjects: [{}, {}] }), 'returned 2 objects, expected 1'],
    [
      'does not convert',
      wrong((o) => ({ ...o, apiVersion: 'conv.io/v1' })),
      'returned invalid object at index 0: invalid groupVersion (expected conv.io/v2, received conv.io/v1)',
    ],
    [
      'changes the kind',
      wrong((o) => ({ ...o, kind: 'Chain' })),
      'returned invalid object at index 0: invalid kind (expected Link, received Chain)',
    ],
    [
      'changes the name',
      wrong((o) => ({ ...o, metadata: { ...o.metadata, name: 'z' } })),
      'returned invalid object: must have the same name: a != z',
    ],
    [
      'changes the namespace',
      wrong((o) => ({ ...o, metadata: { ...o.metadata, namespace: 'z' } })),
      'returned invalid object: must have the same namespace: default != z',
    ],
    [
      'changes the uid',
      wrong((o) => ({ ...o, metadata: { ...o.metadata, uid: 'z' } })),
      'returned invalid object: must have the same UID: ',
    ],
    [
      'gives labels that are none',
      wrong((o) => ({ ...o, metadata: { ...o.metadata, labels: { a: 1 } } })),
      'returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object',
    ],
    [
      'gives bad labels',
      wrong((o) => ({ ...o, metadata: { ...o.metadata, labels: { 'a b': '' } } })),
      'returned invalid metadata: metadata.labels: Invalid value: "a b"',
    ],
    [
      'gives no metadata',
      wrong(({ metadata: _, ...o }) => o),
      'returned invalid object: must have the same name: a != ',
    ],
    ['gives no object', wrong(() => 7), 'returned invalid object at index 0: '],
  ])('is refused when it %s', async (_, wrongly, message) => {
    await send('POST', at('v1'), link('a', 'v1'));
    answer = wrongly;
    const got = await send('GET', `${at('v2')}/a`);
    expect(got).toMatchObject({
      code: 500,
      message: expect.stringContaining(`conversion webhook for conv.io/v1, Kind=Link ${message}`),
    });
    expect(got).not.toHaveProperty('reason');
  });

  it('writes nothing that could not be converted', async () => {
    answer = () => new Error('connection refused');
    expect((await send('POST', at('v2'), link('a', 'v2'))).code).toBe(500);
    expect((await send('GET', at('v1'))).items).toEqual([]);
  });

  it('may change labels and annotations, and nothing else of the metadata; what its schema does not know is dropped', async () => {
    await send('POST', at('v1'), link('a', 'v1', { labels: { old: 'yes' }, annotations: { note: 'n' } }));
    answer = wrong((o) => ({
      ...o,
      spec: { ...o.spec, nobody: 'knows' },
      metadata: { ...o.metadata, labels: { new: 'yes' }, annotations: undefined, generation: 99, finalizers: ['x/y'] },
    }));
    const { metadata, spec } = await send('GET', `${at('v2')}/a`);
    expect(spec).toEqual({ address: 'a:1' });
    expect(metadata).toMatchObject({ labels: { new: 'yes' }, generation: 1 });
    expect(metadata).not.toHaveProperty('annotations');
    expect(metadata).not.toHaveProperty('finalizers');
  });

  it('says which of many it may not have made so', async () => {
    for (const name of ['a', 'b']) await send('POST', at('v1'), link(name, 'v1'));
    answer = wrong((o) => (o.metadata.name === 'b' ? { ...o, kind: 'Chain' } : o));
    const why =
      'conversion webhook for conv.io/v1, Kind=LinkList returned invalid converted object at index 1: invalid kind';
    expect((await send('GET', at('v2'))).message).toContain(why);
  });

  it('converts what was stored before the stored version changed, and brings it up to date when it is written', async () => {
    await send('POST', at('v1'), link('a', 'v1'));
    const { metadata } = await send('GET', `${DEFINITIONS}/links.conv.io`);
    await send('PUT', `${DEFINITIONS}/links.conv.io`, { ...definition('v2'), metadata });
    await send('POST', at('v1'), link('b', 'v1'));
    asked.length = 0;
    expect((await send('GET', at('v2'))).items?.map(({ spec }) => spec?.address)).toEqual(['a:1', 'b:1']);
    expect((await send('GET', at('v1'))).items?.map(({ spec }) => spec?.host)).toEqual(['a', 'b']);
    expect(asked).toEqual(['a to conv.io/v2', 'b to conv.io/v1']);
    await send('PATCH', `${at('v2')}/a`, {}, MERGE);
    asked.length = 0;
    await send('GET', at('v2'));
    expect(asked).toEqual([]);
    const now = await send('GET', `${DEFINITIONS}/links.conv.io`);
    await send('PUT', `${DEFINITIONS}/links.conv.io`, { ...definition('v1'), metadata: now.metadata });
  });
});

interface Event {
  type: string;
  object: Link;
}

/** The first events of a watch. */
async function eventsOf(watching: Response, count: number): Promise<Event[]> {
  const events: Event[] = [];
  let rest = '';
  const reader = (watching.body as ReadableStream<Uint8Array>).getReader();
  while (events.length < count) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + new TextDecoder().decode(value)).split('\n');
    rest = lines.pop() ?? '';
    events.push(...lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as Event));
  }
  await reader.cancel();
  return events;
}
