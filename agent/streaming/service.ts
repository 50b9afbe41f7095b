/** `service`: one HTTPS request to a Service's endpoint or to a URL, for the control plane. Who answers is verified here. */
import type http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { failure } from '../../src/apimachinery/errors.ts';
import type { ServiceCall } from '../../src/apimachinery/service-call.ts';
import { answer, responseOf, sinkOf } from './forward.ts';
import { goMessage } from './go-errors.ts';
import { Relay } from './relay.ts';
import type { StreamHandler } from './request.ts';

/** Makes the request that the stream's first frame describes. */
export const serviceHandler: StreamHandler = async (_request, socket) => {
  const asked = Promise.withResolvers<ServiceCall>();
  const calling = asked.promise.then(start);
  // Whoever waits for the answer is told.
  calling.catch(() => {});
  socket.on('close', () => {
    asked.reject(new Error('the client has gone'));
    calling.then(
      (outgoing) => outgoing.destroy(),
      () => {},
    );
  });
  const relay = new Relay(socket, { ...sinkOf(calling), asked: (call) => asked.resolve(call as ServiceCall) });
  try {
    await answer(relay, await responseOf(await calling));
  } catch (error) {
    // Once the head is out the client sees a body that was cut off.
    if (relay.began) throw error;
    await relay.refuse(failure(503, 'ServiceUnavailable', goMessage(error)));
  } finally {
    // Connections are not kept, so that none is used in the moment in which the other side closes it.
    calling.then(
      (outgoing) => outgoing.destroy(),
      () => {},
    );
  }
};

function start(call: ServiceCall): http.ClientRequest {
  const { host, port, serverName, method, path, headers, ca, insecure, certificate } = call;
  return https.request({
    host,
    port,
    // TLS has no name for an address; the certificate must name it all the same.
    servername: isIP(serverName) === 0 ? serverName : '',
    method,
    path,
    headers: { host: `${serverName}:${port}`, ...onTheWire(headers) },
    agent: false,
    rejectUnauthorized: insecure !== true,
    ...(ca === undefined ? {} : { ca }),
    ...certificate,
  });
}

/** Headers are bytes: names of users may be in any script. */
function onTheWire(headers: ServiceCall['headers']): Record<string, string | string[]> {
  const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.map(bytes) : bytes(value)]),
  );
}
