import { env, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { streamNodeProxy, streamPodSubresource } from '../../src/api/streaming/index.ts';
import { isReason, StatusError } from '../../src/apimachinery/errors.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import type { Pod } from '../../src/generated/types/core.v1.ts';

const { NODE_SESSION } = env as unknown as Env;
const MIB = 1 << 20;
type Session = ReturnType<typeof NODE_SESSION.getByName>;
type Opened = {
  id: string;
  kind: string;
  namespace: string;
  name: string;
  container: string;
  query: string;
  protocol: string;
};

/** A socket and all it was told. */
class Talk {
  readonly socket: WebSocket;
  readonly said: (string | ArrayBuffer)[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    this.closed = new Promise((done) => socket.addEventListener('close', ({ code, reason }) => done({ code, reason })));
    socket.addEventListener('message', ({ data }) => {
      this.said.push(data as string | ArrayBuffer);
    });
    socket.accept();
  }
  async next(count = 1): Promise<(string | ArrayBuffer)[]> {
    await expect.poll(() => this.said.length).toBeGreaterThanOrEqual(count);
    return this.said;
  }
}

async function dial(session: Session, path: string): Promise<Response> {
  const url = `https://x/zeroplane/v1/nodes/n/${path}`;
  return (await session.fetch(new Request(url, { headers: { upgrade: 'websocket' } }))) as unknown as Response;
}
async function connect(session: Session, path: string): Promise<Talk> {
  const { webSocket } = await dial(session, path);
  if (webSocket === null) throw new Error('no socket');
  return new Talk(webSocket);
}
const pod: Pod = { metadata: { namespace: 'a', name: 'p', uid: 'u' }, spec: { containers: [{ name: 'c' }] } };
function stream(
  session: Session,
  subresource: string,
  headers: Record<string, string> = {},
  query = '',
): Promise<Response> {
  const url = new URL(`https://x/api/v1/namespaces/a/pods/p/${subresource}${query}`);
  const request = new Request(url, { headers });
  const fetching = session as unknown as Parameters<typeof streamPodSubresource>[0];
  return streamPodSubresource(fetching, { node: 'n', pod, subresource, path: '', request, url });
}
const WS = { upgrade: 'websocket', 'sec-websocket-protocol': 'v5.channel.k8s.io, v4.channel.k8s.io' };
const opened = (said: unknown): Opened => (JSON.parse(String(said)) as { open: Opened }).open;
const statusOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error) => (error instanceof StatusError ? [error.status.code, error.status.message] : error),
  );

describe('NodeSession', () => {
  let session: Session;
  let agent: Talk;
  let name: string;
  beforeEach(async () => {
    name = `default/${crypto.randomUUID()}`;
    session = NODE_SESSION.getByName(name);
    agent = await connect(session, 'session');
  });
  /** A client with its stream, and the agent's end of it. */
  const both = async (): Promise<[Talk, Talk, Opened]> => {
    const before = agent.said.length;
    const answer = await stream(session, 'exec', WS, '?command=ls&command=%C3%A9');
    const client = new Talk(answer.webSocket as WebSocket);
    const asked = opened((await agent.next(before + 1)).at(-1));
    return [client, await connect(session, `streams/${asked.id}`), asked];
  };

  it('knows whether its agent is there', async () => {
    expect(await session.connected()).toBe(true);
    agent.socket.close(1000);
    await expect.poll(() => session.connected()).toBe(false);
    const node = name.split('/')[1];
    expect(await statusOf(stream(session, 'exec', WS))).toEqual([
      502,
      `error dialing backend: node "${node}" is not connected`,
    ]);
  });
  it.each([
    ['is told of when its agent does not come back', false, 1],
    ['is not told of when it has', true, 0],
  ])('a node %s', async (_, returns, expected) => {
    const told: unknown[][] = [];
    const manager = { nodeLost: (...lost: unknown[]) => Promise.resolve(told.push(lost)) };
    const ago = Date.now() - 6_000;
    await runInDurableObject(session, (instance) => {
      Object.assign(instance, { env: { CONTROLLERS: 'on', CONTROLLER_MANAGER: { getByName: () => manager } } });
    });
    agent.socket.close(1000);
    await expect.poll(() => session.connected()).toBe(false);
    // Not yet: it has some seconds to return.
    await expect.poll(() => runDurableObjectAlarm(session)).toBe(true);
    expect(told).toEqual([]);
    if (returns) await connect(session, 'session');
    else await runInDurableObject(session, (_instance, { storage }) => storage.put('lostAt', ago));
    await runDurableObjectAlarm(session);
    expect(told).toHaveLength(expected);
    if (expected > 0) expect(told[0]).toEqual(['default', name.split('/')[1], ago]);
    expect(await runInDurableObject(session, (_instance, { storage }) => storage.get('lostAt'))).toBeUndefined();
  });
  it('answers pings without waking', async () => {
    agent.socket.send('ping');
    expect(await agent.next()).toEqual(['pong']);
  });
  it('keeps the newest session only', async () => {
    const newer = await connect(session, 'session');
    expect((await agent.closed).code).toBe(1001);
    await stream(session, 'exec', WS);
    expect(opened((await newer.next())[0]).kind).toBe('exec');
  });
  it('splices a client and its agent, both ways', async () => {
    const [client, remote, asked] = await both();
    expect(asked).toMatchObject({
      namespace: 'a',
      name: 'p',
      container: 'c',
      protocol: 'v5.channel.k8s.io',
      query: 'command=ls&command=%C3%A9',
    });
    client.socket.send(new Uint8Array([0, 1]));
    expect(new Uint8Array((await remote.next())[0] as ArrayBuffer)).toEqual(new Uint8Array([0, 1]));
    remote.socket.send('text');
    expect(await client.next()).toEqual(['text']);
    remote.socket.close(1000, 'over');
    expect(await client.closed).toEqual({ code: 1000, reason: 'over' });
  });
  it('passes closing codes on', async () => {
    const [client, remote] = await both();
    remote.socket.close(1011, 'it failed');
    expect(await client.closed).toEqual({ code: 1011, reason: 'it failed' });
    const [second, other] = await both();
    second.socket.close(4001, 'bye');
    expect((await other.closed).code).toBe(4001);
  });
  it('keeps what the client says before the agent is there', async () => {
    const client = new Talk((await stream(session, 'exec', WS)).webSocket as WebSocket);
    for (const text of ['one', 'two', 'three']) client.socket.send(text);
    const { id } = opened((await agent.next())[0]);
    await new Promise((done) => setTimeout(done, 50));
    expect(await (await connect(session, `streams/${id}`)).next(3)).toEqual(['one', 'two', 'three']);
  });
  it('keeps no more than a little', async () => {
    const client = new Talk((await stream(session, 'exec', WS)).webSocket as WebSocket);
    for (let i = 0; i < 7; i++) client.socket.send(new Uint8Array(MIB));
    expect((await client.closed).reason).toBe('too much was said before the node answered');
  });
  it('hibernates in the middle of a stream', async () => {
    const [client, remote] = await both();
    await evictDurableObject(session, { webSockets: 'hibernate' });
    remote.socket.send('still here');
    expect(await client.next()).toEqual(['still here']);
    expect(await session.connected()).toBe(true);
  });
  it('ends a stream whose first words were lost', async () => {
    const client = new Talk((await stream(session, 'exec', WS)).webSocket as WebSocket);
    client.socket.send('lost');
    const { id } = opened((await agent.next())[0]);
    const spoke = (): Promise<boolean> =>
      runInDurableObject(session, (_object, state) =>
        state.getWebSockets(`client:${id}`).some((socket) => socket.deserializeAttachment()?.spoke === true),
      );
    await expect.poll(spoke).toBe(true);
    await evictDurableObject(session, { webSockets: 'hibernate' });
    expect((await dial(session, `streams/${id}`)).status).toBe(409);
    expect((await client.closed).code).toBe(1011);
  });
  it('gives an agent up that does not dial back', async () => {
    const client = new Talk((await stream(session, 'exec', WS)).webSocket as WebSocket);
    await runInDurableObject(session, (_object, state) => {
      for (const socket of state.getWebSockets()) {
        const attachment = socket.deserializeAttachment() as { side: string; openedAt: number };
        if (attachment.side === 'client') socket.serializeAttachment({ ...attachment, openedAt: Date.now() - 11_000 });
      }
    });
    await runDurableObjectAlarm(session);
    expect(await client.closed).toMatchObject({ code: 1011, reason: expect.stringContaining('did not answer') });
  });
  it('takes an agent for gone that has been silent', async () => {
    await runInDurableObject(session, (_object, state) => {
      for (const socket of state.getWebSockets()) {
        const attachment = socket.deserializeAttachment() as object;
        socket.serializeAttachment({ ...attachment, openedAt: Date.now() - 80_000 });
      }
    });
    expect(await session.connected()).toBe(false);
  });
  it('answers strangers', async () => {
    expect((await dial(session, `streams/${crypto.randomUUID()}`)).status).toBe(404);
    expect((await dial(session, 'session/more')).status).toBe(404);
    expect((await session.fetch('https://x/open')).status).toBe(400);
    const [, , { id }] = await both();
    expect((await dial(session, `streams/${id}`)).status).toBe(404);
  });

  it('turns logs into a response', async () => {
    const answered = stream(session, 'log', {}, '?tailLines=3');
    const asked = opened((await agent.next())[0]);
    expect(asked).toMatchObject({ kind: 'log', container: 'c', query: 'tailLines=3' });
    const remote = await connect(session, `streams/${asked.id}`);
    remote.socket.send('{}');
    for (let i = 0; i < 3; i++) remote.socket.send(new Uint8Array(MIB).fill(65));
    const answer = await answered;
    expect(answer.headers.get('content-encoding')).toBe('identity');
    const body = answer.text();
    await expect.poll(() => remote.said.length).toBeGreaterThan(0);
    expect(JSON.parse(String(remote.said[0]))).toEqual({ ack: MIB });
    remote.socket.close(1000);
    expect(await body).toHaveLength(3 * MIB);
  });
  it('breaks a log off that broke off', async () => {
    const answered = stream(session, 'log');
    const remote = await connect(session, `streams/${opened((await agent.next())[0]).id}`);
    remote.socket.send('{}');
    const body = (await answered).text().then(
      () => 'whole',
      () => 'broken',
    );
    remote.socket.close(1011, 'gone');
    expect(await body).toBe('broken');
  });
  it('throws the Status that the node answers with', async () => {
    const answered = statusOf(stream(session, 'log'));
    const remote = await connect(session, `streams/${opened((await agent.next())[0]).id}`);
    remote.socket.send(JSON.stringify({ status: { code: 400, message: 'waiting to start' } }));
    remote.socket.close(1000);
    expect(await answered).toEqual([400, 'waiting to start']);
  });
  it('proxies to the node itself', async () => {
    const url = new URL('https://x/api/v1/nodes/n/proxy/healthz?a=%C3%A9');
    const request = new Request(url, {
      method: 'POST',
      body: 'asked',
      headers: { 'x-own': 'ä', authorization: 'Bearer x' },
    });
    const fetching = session as unknown as Parameters<typeof streamNodeProxy>[0];
    const answered = streamNodeProxy(fetching, { node: 'n', path: 'healthz', request, url });
    const asked = opened((await agent.next())[0]) as Opened & {
      http: { path: string; method: string; headers: object };
    };
    expect(asked).toMatchObject({ kind: 'proxy', name: '', http: { path: '/healthz?a=%C3%A9', method: 'POST' } });
    expect(asked.http.headers).not.toHaveProperty('authorization');
    const remote = await connect(session, `streams/${asked.id}`);
    await remote.next(2);
    expect(new TextDecoder().decode(remote.said[0] as ArrayBuffer)).toBe('asked');
    expect(remote.said[1]).toBe('');
    remote.socket.send(JSON.stringify({ head: { status: 204, headers: { 'x-a': ['1', '2'] } } }));
    remote.socket.close(1000);
    const answer = await answered;
    expect([answer.status, answer.headers.get('x-a')]).toEqual([204, '1, 2']);
  });
  it('tells old clients what to do', async () => {
    const refused = await stream(session, 'exec').catch((error: unknown) => error);
    expect(isReason(refused, 'BadRequest')).toBe(true);
    expect(String((refused as StatusError).status.message)).toContain('KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true');
    const answer = await stream(session, 'portforward', {
      ...WS,
      'sec-websocket-protocol': 'SPDY/3.1+portforward.k8s.io',
    });
    expect(answer.headers.get('sec-websocket-protocol')).toBe('SPDY/3.1+portforward.k8s.io');
  });
});
