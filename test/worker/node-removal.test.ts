/** A node that was removed: nothing that it was given counts any more, and it may join anew. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { app } from '../../src/api/app.ts';
import { SnapshotCache } from '../../src/api/snapshot.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';

const around = surroundings(env as unknown as Env);
const cluster = around.cluster('default');
let admin = '';

async function ask(method: string, path: string, bearer: string, body?: object, headers = {}): Promise<Response> {
  const init = {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', ...headers },
  };
  const request = new Request(
    `https://api${path}`,
    body === undefined ? init : { ...init, body: JSON.stringify(body) },
  );
  return app.fetch(request, { around });
}
const status = async (...args: Parameters<typeof ask>): Promise<number> => (await ask(...args)).status;
const bootstrap = async (): Promise<string> => (await cluster.createBootstrapToken(600)).token;
async function join(nodeName: string, bearer: string): Promise<{ status: number; token: string }> {
  const response = await ask('POST', '/zeroplane/v1/join', bearer, { nodeName });
  const { token = '' } = (await response.json()) as { token?: string };
  return { status: response.status, token };
}
const remove = (name: string, bearer = admin): Promise<number> =>
  status('DELETE', `/zeroplane/v1/nodes/${name}`, bearer);
const create = (name: string, bearer: string): Promise<number> =>
  status('POST', '/api/v1/nodes', bearer, { metadata: { name } });

beforeAll(async () => {
  admin = (await cluster.mint({ user: 'admin', groups: ['system:masters'], ttlSeconds: 600 })).token;
});

describe('a removed node', () => {
  it('loses its credential and its session at once, and joins with a new token alone', async () => {
    const { token } = await join('gone', await bootstrap());
    expect(await create('gone', token)).toBe(201);
    const { webSocket } = await ask('GET', '/zeroplane/v1/nodes/gone/session', token, undefined, {
      upgrade: 'websocket',
    });
    if (webSocket === null) throw new Error('no session');
    const closed = new Promise<number>((done) => webSocket.addEventListener('close', ({ code }) => done(code)));
    webSocket.accept();

    expect(await remove('gone')).toBe(200);
    expect(await closed).toBe(4001);
    expect(await status('GET', '/api/v1/nodes/gone', token)).toBe(401);
    expect(await status('DELETE', '/api/v1/nodes/gone', admin)).toBe(200);
    expect(await create('gone', token)).toBe(401);
    expect((await join('gone', token)).status).toBe(401);
    const session = await ask('GET', '/zeroplane/v1/nodes/gone/session', token, undefined, { upgrade: 'websocket' });
    expect(session.status).toBe(401);

    const again = await join('gone', await bootstrap());
    expect(again.status).toBe(201);
    expect(await create('gone', again.token)).toBe(201);
    expect(await status('GET', '/api/v1/nodes/gone', token)).toBe(401);
  });

  it('renews nothing where its removal has not been heard of', async () => {
    const { token } = await join('late', await bootstrap());
    const { iat } = JSON.parse(atob(token.split('.')[1] as string)) as { iat: number };
    await cluster.removeNode('late');
    expect(await cluster.nodeCredential('late', iat)).toBeNull();
  });

  it('is one node alone', async () => {
    const [one, other] = [await join('one', await bootstrap()), await join('other', await bootstrap())];
    expect(await create('other', other.token)).toBe(201);
    expect(await remove('one')).toBe(200);
    expect(await status('GET', '/api/v1/nodes/other', other.token)).toBe(200);
    expect(await status('GET', '/api/v1/nodes/one', one.token)).toBe(401);
  });

  it('is remembered as long as what it was given would be good', async () => {
    const { token } = await cluster.mint({ user: 'system:node:long', groups: ['system:nodes'], ttlSeconds: 10 ** 8 });
    const { exp } = JSON.parse(atob(token.split('.')[1] as string)) as { exp: number };
    expect(exp - Date.now() / 1000).toBeLessThanOrEqual(7 * 24 * 3600);
    await cluster.removeNode('long');
    const snapshot = await new SnapshotCache().get('default', cluster);
    expect(snapshot.removed.has('system:node:long')).toBe(true);
  });

  it('is removed by who may delete it, and by nobody else', async () => {
    const node = await join('stays', await bootstrap());
    const nobody = await cluster.mint({ user: 'nobody', groups: [], ttlSeconds: 600 });
    expect(await remove('stays', nobody.token)).toBe(403);
    expect(await remove('stays', node.token)).toBe(403);
    expect(await remove('stays', 'nonsense')).toBe(401);
    expect(await remove('No_Name')).toBe(400);
    expect((await join('stays', node.token)).status).toBe(201);
  });
});
