/** Definitions and expressions that mean harm, or change while others look: refused or borne, and in no time. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { app } from '../../src/api/app.ts';
import type { JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';

const around = surroundings(env as unknown as Env);
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const POLICIES = '/apis/admissionregistration.k8s.io/v1';
let token = '';

interface Answer extends KubeObject {
  code?: number;
  message?: string;
  spec?: JsonObject;
}

function request(method: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return Promise.resolve(app.fetch(new Request(`https://api${path}`, init), { around }));
}
const send = async (method: string, path: string, body?: object): Promise<Answer> =>
  (await request(method, path, body)).json();

/** What takes longer burns what others need. The machine may be busy: what hangs would take minutes. */
const NO_TIME_MS = 20_000;
async function inNoTime<T>(work: () => Promise<T>): Promise<T> {
  const before = Date.now();
  const result = await work();
  expect(Date.now() - before).toBeLessThan(NO_TIME_MS);
  return result;
}

const definition = (plural: string, versions: object[]): object => ({
  metadata: { name: `${plural}.hostile.io` },
  spec: { group: 'hostile.io', scope: 'Namespaced', names: { plural, kind: `Kind${plural}` }, versions },
});
const version = (name: string, storage: boolean, spec: object): object => ({
  name,
  served: true,
  storage,
  schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
});

/** Defines a resource; controllers, which would establish it, are off. */
async function established(plural: string, versions: object[]): Promise<void> {
  const { metadata, message } = await send('POST', DEFINITIONS, definition(plural, versions));
  if (metadata?.uid === undefined) throw new Error(message);
  const conditions = ['NamesAccepted', 'Established'].map((type) => ({ type, status: 'True' }));
  const status = { conditions, acceptedNames: { plural, kind: `Kind${plural}` }, storedVersions: ['v1'] };
  const path = `${DEFINITIONS}/${plural}.hostile.io`;
  await send('PUT', `${path}/status`, { ...definition(plural, versions), metadata, status });
  await expect.poll(async () => (await request('GET', at(plural))).status).toBe(200);
}

const at = (plural: string, version = 'v1'): string => `/apis/hostile.io/${version}/namespaces/default/${plural}`;
const object = (plural: string, name: string, spec: object): object => ({
  apiVersion: 'hostile.io/v1',
  kind: `Kind${plural}`,
  metadata: { name },
  spec,
});

beforeAll(async () => {
  const { token: minted } = await around
    .cluster('default')
    .mint({ user: 'admin', groups: ['system:masters'], ttlSeconds: 600 });
  token = minted;
});

describe('definitions', () => {
  it('may have patterns that take for ever elsewhere', async () => {
    const spec = { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } };
    await established('patterns', [version('v1', true, spec)]);
    const bad = object('patterns', 'x', { a: `${'a'.repeat(50_000)}!` });
    expect((await inNoTime(() => send('POST', at('patterns'), bad))).message).toContain("should match '^(a+)+$'");
  });

  it('may not have rules that cost too much', async () => {
    const rule = 'self.all(x, self.all(y, self.all(z, x == y && y == z)))';
    const list = { type: 'array', items: { type: 'string' }, 'x-kubernetes-validations': [{ rule }] };
    const spec = { type: 'object', properties: { list } };
    const made = () => send('POST', DEFINITIONS, definition('rules', [version('v1', true, spec)]));
    expect((await inNoTime(made)).message).toContain('estimated rule cost exceeds budget');
  });

  it('may be a megabyte', async () => {
    const properties: Record<string, object> = {};
    for (let i = 0; i < 5000; i++) properties[`field${i}`] = { type: 'string', description: 'x'.repeat(150) };
    await inNoTime(() => established('larges', [version('v1', true, { type: 'object', properties })]));
    const made = await inNoTime(() => send('POST', at('larges'), object('larges', 'x', { field4999: 'y', nobody: 1 })));
    expect(made.spec).toEqual({ field4999: 'y' });
  });

  it('may not be larger than what can be kept', async () => {
    const description = 'x'.repeat(3_200_000);
    const made = await send(
      'POST',
      DEFINITIONS,
      definition('huges', [version('v1', true, { type: 'object', description })]),
    );
    expect(made).toMatchObject({ code: 413 });
  });

  it('end the watches that began before they changed', async () => {
    const spec = { type: 'object', properties: { a: { type: 'string' } } };
    await established('moves', [version('v1', true, spec), version('v2', false, spec)]);
    const { metadata } = await send('GET', at('moves'));
    const watch = (resourceVersion: string | undefined) =>
      request('GET', `${at('moves')}?watch=1&resourceVersion=${resourceVersion}`);
    const first = linesOf(await watch(metadata.resourceVersion));
    await send('POST', at('moves'), object('moves', 'a', { a: '1' }));
    expect((await first.next()).value).toMatchObject({ type: 'ADDED', object: { apiVersion: 'hostile.io/v1' } });
    const path = `${DEFINITIONS}/moves.hostile.io`;
    const now = await send('GET', path);
    const versions = [version('v1', false, spec), version('v2', true, spec)];
    await send('PUT', path, { ...definition('moves', versions), metadata: now.metadata });
    const made = await send('POST', at('moves'), object('moves', 'b', { a: '2' }));
    expect((await first.next()).done).toBe(true);
    const second = linesOf(await watch(String(Number(made.metadata.resourceVersion) - 1)));
    expect((await second.next()).value).toMatchObject({
      object: { apiVersion: 'hostile.io/v1', metadata: { name: 'b' } },
    });
  });
});

describe('policies', () => {
  const BURNS =
    'object.data.l.split("").all(x, object.data.l.split("").all(y, object.data.l.split("").all(z, x == y || z != "")))';
  const constraints = {
    resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
  };
  const MAPS = '/api/v1/namespaces/default/configmaps';
  const map = { metadata: { name: 'x' }, data: { l: 'x'.repeat(2000) } };
  const exceeds = /cost (?:limit|budget)/;

  it.each<[string, string, object]>([
    ['a validation', 'validating', { validations: [{ expression: BURNS }] }],
    [
      'a condition',
      'validating',
      { matchConditions: [{ name: 'c', expression: BURNS }], validations: [{ expression: 'true' }] },
    ],
    [
      'a variable',
      'validating',
      { variables: [{ name: 'v', expression: BURNS }], validations: [{ expression: 'variables.v' }] },
    ],
    [
      'a mutation',
      'mutating',
      {
        reinvocationPolicy: 'Never',
        mutations: [
          { patchType: 'ApplyConfiguration', applyConfiguration: { expression: `${BURNS} ? Object{} : Object{}` } },
        ],
      },
    ],
  ])('may not burn time in %s', async (_, kind, spec) => {
    const path = `${POLICIES}/${kind}admissionpolicies`;
    const made = await send('POST', path, {
      metadata: { name: 'p' },
      spec: { matchConstraints: constraints, ...spec },
    });
    expect(made.message).toBeUndefined();
    const actions = kind === 'validating' ? { validationActions: ['Deny'] } : {};
    await send('POST', `${POLICIES}/${kind}admissionpolicybindings`, {
      metadata: { name: 'b' },
      spec: { policyName: 'p', ...actions },
    });
    const refused = await inNoTime(() => send('POST', `${MAPS}?dryRun=All`, map));
    await send('DELETE', `${path}/p`);
    await send('DELETE', `${POLICIES}/${kind}admissionpolicybindings/b`);
    expect(refused.message).toMatch(exceeds);
  });
});

/** The events of a watch, one after the other. */
async function* linesOf(response: Response): AsyncGenerator<unknown> {
  let rest = '';
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + new TextDecoder().decode(part)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line);
  }
}
