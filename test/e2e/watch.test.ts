/** Watches over the wire: how they end, and that nothing of them stays behind. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { client, type Send } from '../support/https.ts';

const BIG = 'x'.repeat(1_000_000);
/** Several heartbeats. */
const NOTICED_MS = 90_000;

describe.concurrent('a watch', () => {
  let plane: ControlPlane;
  let send: Send;
  const opened: ClientRequest[] = [];
  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'none', controllers: 'off' });
    send = client(plane);
  });
  afterAll(async () => {
    for (const request of opened) request.destroy();
    await plane?.stop();
  });

  const pathOf = (resource: string): string => `/api/v1/namespaces/default/${resource}`;

  /** Opens a watch and leaves it unread. */
  function watch(resource: string, query = ''): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${plane.token}` };
      const options = { headers, rejectUnauthorized: false, agent: false };
      const request = https.get(`${plane.server}${pathOf(resource)}?watch=1${query}`, options, resolve);
      request.on('error', reject);
      opened.push(request);
    });
  }

  const watchers = async (resource: string): Promise<unknown> =>
    (await send({ path: `/zeroplane/v1/stores/core/${resource}/stats` })).body['watchers'];

  const ended = (response: IncomingMessage): Promise<void> =>
    new Promise((resolve) => {
      response.on('error', () => {});
      response.on('close', resolve);
    });

  it('is forgotten when its client goes away, though nothing happens', async ({ expect }) => {
    const stays = await watch('services');
    let text = '';
    stays.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const goes = await watch('services');
    expect(await watchers('services')).toBe(2);
    goes.destroy();
    await expect.poll(() => watchers('services'), { timeout: NOTICED_MS, interval: 500 }).toBe(1);
    const made = await send({
      method: 'POST',
      path: pathOf('services'),
      body: { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } },
    });
    expect(made.status).toBe(201);
    await expect.poll(() => text).toMatch(/"name":"s".*\n$/);
    // What kept it alive is nothing to who reads lines.
    expect(text).toMatch(/\n +\{"type":"ADDED"/);
    for (const line of text.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ type: 'ADDED' });
  });

  it('ends when its time is over, and not before', async ({ expect }) => {
    const long = await watch('secrets', '&timeoutSeconds=99999999');
    let open = true;
    void ended(long.resume()).then(() => {
      open = false;
    });
    const began = Date.now();
    const short = await watch('secrets', '&timeoutSeconds=1');
    await ended(short.resume());
    expect(Date.now() - began).toBeGreaterThan(900);
    expect(open).toBe(true);
    await expect.poll(() => watchers('secrets')).toBe(1);
  });

  it('is cut off when its client does not read', async ({ expect }) => {
    const path = pathOf('configmaps');
    await send({ method: 'POST', path, body: { metadata: { name: 'big' } } });
    const response = (await watch('configmaps', '&resourceVersion=1')).pause();
    expect(await watchers('configmaps')).toBe(1);
    const headers = { 'content-type': 'application/merge-patch+json' };
    for (let i = 0; i < 120 && (await watchers('configmaps')) === 1; i++) {
      const answer = await send({ method: 'PATCH', path: `${path}/big`, body: { data: { a: `${i}${BIG}` } }, headers });
      expect(answer.status).toBe(200);
    }
    await expect.poll(() => watchers('configmaps')).toBe(0);
    await ended(response.resume());
    expect(response.complete).toBe(false);
    // Whoever reads is served as before.
    (await watch('configmaps')).resume();
    expect(await watchers('configmaps')).toBe(1);
  });
});
