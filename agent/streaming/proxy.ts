/** `proxy`: one HTTP request to a pod, or to the node itself. */
import http from 'node:http';
import https from 'node:https';
import { failure } from '../../src/apimachinery/errors.ts';
import type { Summary } from '../../src/apimachinery/stats-summary.ts';
import type { Pod } from '../../src/generated/types/core.v1.ts';
import { answer, responseOf, sinkOf } from './forward.ts';
import { Relay } from './relay.ts';
import type { StreamHandler } from './request.ts';

const unavailable = (message: string): ReturnType<typeof failure> => failure(503, 'ServiceUnavailable', message);

/** Serves a proxied request to a pod's address, or to the node itself: its pods, and what they use. */
export function proxyHandler(pods: () => Pod[], stats: () => Summary): StreamHandler {
  return async (request, socket) => {
    const target = request.http;
    if (target === undefined) return new Relay(socket).refuse(failure(400, 'BadRequest', 'no request was given'));
    if (request.name === '') return nodeItself(new Relay(socket), target.path, pods, stats);
    const pod = pods().find((p) => p.metadata.namespace === request.namespace && p.metadata.name === request.name);
    const ip = pod?.status?.podIP;
    if (!ip) return new Relay(socket).refuse(unavailable(`pod ${request.name} has no address`));

    const secure = target.scheme === 'https';
    // A pod's certificate names no address of its own: upstream does not verify it either.
    const options = {
      method: target.method,
      headers: target.headers,
      ...(secure ? { rejectUnauthorized: false } : {}),
    };
    const outgoing = (secure ? https : http).request(
      `${secure ? 'https' : 'http'}://${ip}:${target.port}${target.path}`,
      options,
    );
    socket.on('close', () => outgoing.destroy());
    const relay = new Relay(socket, sinkOf(Promise.resolve(outgoing)));
    try {
      await answer(relay, await responseOf(outgoing));
    } catch (error) {
      // Once the head is out the client sees a body that was cut off.
      if (relay.began) throw error;
      await relay.refuse(
        unavailable(`error trying to reach service: ${error instanceof Error ? error.message : error}`),
      );
    } finally {
      outgoing.destroy();
    }
  };
}

/** What the node says of itself under `nodes/<name>/proxy`, as a kubelet does. */
async function nodeItself(relay: Relay, path: string, pods: () => Pod[], stats: () => Summary): Promise<void> {
  const texts: Record<string, () => { type: string; text: string }> = {
    '/healthz': () => ({ type: 'text/plain; charset=utf-8', text: 'ok' }),
    '/stats/summary': () => ({ type: 'application/json', text: JSON.stringify(stats()) }),
    '/pods': () => {
      const list = { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods() };
      return { type: 'application/json', text: JSON.stringify(list) };
    },
  };
  const name = new URL(path, 'http://node').pathname.replace(/\/+$/, '');
  const found = Object.hasOwn(texts, name) ? texts[name]?.() : undefined;
  const said = found ?? { type: 'text/plain; charset=utf-8', text: '404 page not found\n' };
  await relay.begin({ head: { status: found === undefined ? 404 : 200, headers: { 'content-type': said.type } } });
  await relay.send(Buffer.from(said.text));
  relay.end();
}
