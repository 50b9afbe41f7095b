/** The cluster's DNS on every node: its own names from the informers, all others from the machine's resolvers. */
import dgram from 'node:dgram';
import net from 'node:net';
import type { Service } from '../../src/generated/types/core.v1.ts';
import type { EndpointSlice } from '../../src/generated/types/discovery.v1.ts';
import type { Listening } from '../network/api-proxy.ts';
import type { AgentContext } from '../types.ts';
import { answer, fit } from './answer.ts';
import type { Zone } from './records.ts';
import { Forwarder, framed, machineResolvers, type Resolver, unframe } from './upstream.ts';

const IDLE_MS = 10_000;
const MAX_TCP_CLIENTS = 500;
/** How often a free port for both protocols is looked for. */
const ATTEMPTS = 10;

/** Starts the server on the node's address, on a port of its own. */
export async function startDns(context: AgentContext): Promise<Listening> {
  const { informers, cluster, nodeIp } = context;
  const services = informers.get<Service>('core/services');
  const slices = informers.get<EndpointSlice>('discovery.k8s.io/endpointslices');
  const isComplete = (): boolean => services.hasSynced && slices.hasSynced;
  return serveDns(nodeIp, { domain: cluster.domain, services, slices, isComplete }, machineResolvers(nodeIp));
}

/** Serves a zone over UDP and TCP on one port; other names are asked of `resolvers`. */
export async function serveDns(ip: string, zone: Zone, resolvers: () => readonly Resolver[]): Promise<Listening> {
  const forwarder = new Forwarder(resolvers);
  const { tcp, udp, port } = await bind(ip);
  const clients = new Set<net.Socket>();
  tcp.maxConnections = MAX_TCP_CLIENTS;
  tcp.on('connection', (socket) => {
    clients.add(socket);
    socket.on('close', () => clients.delete(socket));
    serveTcp(socket, zone, forwarder);
  });
  udp.on('error', () => {});
  udp.on('message', (query, from) => {
    answer(query, zone, forwarder, false)
      .then((response) => {
        if (response !== undefined) udp.send(fit(query, response), from.port, from.address);
      })
      // The server was stopped while the answer was on its way.
      .catch(() => {});
  });
  return {
    ip,
    port,
    async stop() {
      udp.close();
      for (const client of clients) client.destroy();
      await new Promise<void>((done) => tcp.close(() => done()));
    },
  };
}

interface Bound {
  tcp: net.Server;
  udp: dgram.Socket;
  port: number;
}

/** A port that is free for both protocols. */
async function bind(ip: string): Promise<Bound> {
  for (let attempt = 1; ; attempt++) {
    const tcp = net.createServer();
    await new Promise<void>((done, fail) => {
      tcp.once('error', fail);
      tcp.listen(0, ip, () => done());
    });
    const { port } = tcp.address() as net.AddressInfo;
    const udp = dgram.createSocket(net.isIPv6(ip) ? 'udp6' : 'udp4');
    try {
      await new Promise<void>((done, fail) => {
        udp.once('error', fail);
        udp.bind(port, ip, () => done());
      });
      return { tcp, udp, port };
    } catch (error) {
      udp.close();
      tcp.close();
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

function serveTcp(socket: net.Socket, zone: Zone, forwarder: Forwarder): void {
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  const take = unframe((query) => {
    void answer(query, zone, forwarder, true).then((response) => {
      if (response !== undefined && !socket.destroyed) socket.write(framed(response));
    });
  });
  socket.on('data', take);
}
