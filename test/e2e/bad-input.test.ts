/** Requests that make no sense, over the wire: each is refused in upstream's words, and nothing has changed afterwards. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { badBodies } from '../support/bad-input/bodies.ts';
import { badCredentials } from '../support/bad-input/credentials.ts';
import { badObjects } from '../support/bad-input/objects.ts';
import { badRequests } from '../support/bad-input/requests.ts';
import { type BadInput, CONFIG_MAPS, configMap, HERE, type Scene } from '../support/bad-input/types.ts';
import { type Answered, client, type Send } from '../support/https.ts';

const STORES = ['configmaps', 'secrets', 'pods', 'services', 'namespaces', 'serviceaccounts'];

let plane: ControlPlane;
let send: Send;
let scene: Scene;
/** What every store held before. */
let before: string[];

/** Of each store the resourceVersion, the names and a digest of the rest. */
async function state(): Promise<string[]> {
  const lists = await Promise.all(STORES.map((resource) => send({ path: `/api/v1/${resource}` })));
  return lists.map(({ text, body: { metadata, items = [] } }, i) => {
    const names = (items as { metadata: { name: string } }[]).map((item) => item.metadata.name);
    const digest = createHash('sha256').update(text).digest('base64url').slice(0, 8);
    return `${STORES[i]} at ${metadata?.resourceVersion}: ${names.join(' ')} (${digest})`;
  });
}

beforeAll(async () => {
  plane = await startControlPlane({ nodes: 'none', controllers: 'off' });
  send = client(plane);
  await send({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'bad' } } });
  await send({
    method: 'POST',
    path: '/api/v1/namespaces/bad/serviceaccounts',
    body: { metadata: { name: 'default' } },
  });
  await send({ method: 'POST', path: CONFIG_MAPS, body: configMap({ name: 'also' }) });
  const here = await send({
    method: 'POST',
    path: CONFIG_MAPS,
    body: configMap({ name: 'here' }, { data: { a: '1' } }),
  });
  const { resourceVersion = '', uid = '' } = here.body.metadata as { resourceVersion?: string; uid?: string };
  const page = await send({ path: `${CONFIG_MAPS}?limit=1` });
  const next = (page.body.metadata as { continue?: string }).continue ?? '';
  scene = { resourceVersion, uid, token: plane.token, next };
  before = await state();
});

afterAll(async () => {
  await plane?.stop();
});

function causes({ body }: Answered): string[] {
  const { causes = [] } = (body['details'] ?? {}) as { causes?: { field?: string }[] };
  return causes.map(({ field }) => field ?? '');
}

async function refuses({ send: request, status, reason, message, fields }: BadInput): Promise<void> {
  const answer = await send(typeof request === 'function' ? request(scene) : request);
  const said = (answer.body.message ?? answer.text).slice(0, 10_000);
  expect({ status: answer.status, reason: answer.body.reason, said }).toEqual({
    status,
    reason,
    said:
      message === undefined
        ? expect.any(String)
        : typeof message === 'string'
          ? message
          : expect.stringMatching(message),
  });
  if (reason !== undefined) {
    expect(answer.body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status });
  }
  if (fields !== undefined) expect(causes(answer)).toEqual(fields);
  expect(said).not.toMatch(/\bat .*\.(?:js|ts):\d+/);
}

describe.each([
  ['bodies', badBodies],
  ['objects and options', badObjects],
  ['paths, methods, queries and headers', badRequests],
  ['credentials', badCredentials],
])('bad %s', (_, cases) => {
  it.each(cases)('$name', refuses);

  it('have changed nothing', async () => {
    expect(await state()).toEqual(before);
  });
});

describe('what is odd and still fine', () => {
  const WARNED = '{"metadata":{"name":"w"},"data":{"a":"1","a":"2"},"bogus":1}';
  const YAML = 'metadata: {name: w}\nbogus: 1\nbogus: 2\n';
  const FINE: [name: string, query: string, body: string, type: string, warning: string | undefined][] = [
    [
      'Warn',
      '&fieldValidation=Warn',
      WARNED,
      'json',
      '299 - "duplicate field \\"data.a\\"", 299 - "unknown field \\"bogus\\""',
    ],
    [
      'no validation named',
      '',
      WARNED,
      'json',
      '299 - "duplicate field \\"data.a\\"", 299 - "unknown field \\"bogus\\""',
    ],
    ['Ignore', '&fieldValidation=Ignore', WARNED, 'json', undefined],
    [
      'YAML',
      '',
      YAML,
      'yaml',
      '299 - "yaml: unmarshal errors:\\n  line 3: key \\"bogus\\" already set in map", 299 - "unknown field \\"bogus\\""',
    ],
    ['YAML under Ignore', '&fieldValidation=Ignore', YAML, 'yaml', undefined],
  ];

  it.each(FINE)('unknown and duplicate fields: %s', async (_, query, body, type, warning) => {
    const headers = { 'content-type': `application/${type}` };
    const answer = await send({ method: 'POST', path: `${CONFIG_MAPS}?dryRun=All${query}`, body, headers });
    expect([answer.status, answer.headers['warning']]).toEqual([201, warning]);
  });

  it.each(['limit=-1', 'limit=0', 'timeoutSeconds=-5', 'labelSelector=', 'watch=false', 'pretty=maybe'])(
    'a list with %s',
    async (query) => {
      const answer = await send({ path: `${CONFIG_MAPS}?${query}` });
      expect([answer.status, answer.body.items?.length]).toEqual([200, 2]);
    },
  );

  it('a watch of what no event can be', async () => {
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    const answer = await send({ path: `${CONFIG_MAPS}?watch=maybe`, headers: { accept } });
    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  it('a path that ends with a slash', async () => {
    expect((await send({ path: `${HERE}/` })).status).toBe(200);
    expect((await send({ path: `${CONFIG_MAPS}/` })).status).toBe(200);
  });

  it('and nothing has changed by it', async () => {
    expect(await state()).toEqual(before);
  });
});
