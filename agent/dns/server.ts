/** The cluster's DNS on every node: its own names from the informers, all others from the machine's resolvers. */
import dgram from 'node:dgram';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import packet, { type Answer as PacketAnswer, type Packet } from 'dns-packet';
import type { Service } from '../../src/generated/types/core.v1.ts';
import type { EndpointSlice } from '../../src/generated/types/discovery.v1.ts';
import type { Listening } from '../network/api-proxy.ts';
import type { AgentContext } from '../types.ts';
import { isOurs, resolve, type Zone } from './records.ts';

const AUTHORITATIVE = packet.AUTHORITATIVE_ANSWER;
const NXDOMAIN = 3;
const SERVFAIL = 2;
const UDP_SIZE = 512;
const UPSTREAM_MS = 2000;
const NEGATIVE_TTL = 5;

/** Starts the server on the node's address, on a port of its own. */
export async function startDns(context: AgentContext): Promise<Listening> {
  const { informers, cluster, nodeIp } = context;
  const services = informers.get<Service>('core/services');
  const slices = informers.get<EndpointSlice>('discovery.k8s.io/endpointslices');
  const zone: Zone = { domain: cluster.domain, services, slices };
  return serveDns(nodeIp, zone, upstreams(nodeIp));
}

/** Serves a zone over UDP and TCP on one port. */
export async function serveDns(ip: string, zone: Zone, resolvers: readonly string[]): Promise<Listening> {
  const tcp = net.createServer((socket) => overTcp(socket, zone, resolvers));
  await new Promise<void>((done, fail) => {
    tcp.once('error', fail);
    tcp.listen(0, ip, () => done());
  });
  const { port } = tcp.address() as net.AddressInfo;
  const udp = dgram.createSocket('udp4');
  udp.on('error', () => {});
  udp.on('message', (query, from) => {
    void answer(query, zone, resolvers).then((response) => {
      if (response !== undefined) udp.send(fit(query, response), from.port, from.address);
    });
  });
  await new Promise<void>((done, fail) => {
    udp.once('error', fail);
    udp.bind(port, ip, () => done());
  });
  return {
    ip,
    port,
    async stop() {
      udp.close();
      await new Promise<void>((done) => tcp.close(() => done()));
    },
  };
}

/** The machine's own resolvers; never this server. */
function upstreams(own: string): string[] {
  try {
    const lines = readFileSync('/etc/resolv.conf', 'utf8').split('\n');
    return lines
      .map((line) => /^nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
      .filter((address) => net.isIPv4(address) && address !== own);
  } catch {
    return [];
  }
}

/** The answer to one query; undefined for what is no query. */
async function answer(query: Buffer, zone: Zone, resolvers: readonly string[]): Promise<Buffer | undefined> {
  let asked: Packet;
  try {
    asked = packet.decode(query);
  } catch {
    return undefined;
  }
  const question = asked.questions?.[0];
  if (asked.type !== 'query' || question === undefined) return undefined;
  const name = question.name.toLowerCase().replace(/\.$/, '');
  if (!isOurs(zone, name)) return (await forward(query, resolvers)) ?? reply(asked, SERVFAIL, []);
  const found = resolve(zone, name, question.type);
  const external = found?.length === 0 ? cname(zone, name) : undefined;
  if (external !== undefined) return reply(asked, 0, [external]);
  if (found !== undefined && found.length > 0) return reply(asked, 0, found as PacketAnswer[]);
  return reply(asked, found === undefined ? NXDOMAIN : 0, [], soa(zone));
}

/** A Service of type ExternalName is another name for something outside. */
function cname(zone: Zone, name: string): PacketAnswer | undefined {
  const [serviceName = '', namespace = ''] = name.split('.');
  const spec = zone.services.get(namespace, serviceName)?.spec;
  if (spec?.type !== 'ExternalName' || !spec.externalName) return undefined;
  return { type: 'CNAME', name, data: spec.externalName, ttl: NEGATIVE_TTL };
}

function soa({ domain }: Zone): PacketAnswer {
  const data = {
    mname: `ns.dns.${domain}`,
    rname: `hostmaster.${domain}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: NEGATIVE_TTL,
  };
  return { type: 'SOA', name: domain, ttl: NEGATIVE_TTL, data };
}

function reply(asked: Packet, code: number, answers: PacketAnswer[], authority?: PacketAnswer): Buffer {
  // A name that was asked for in capitals is answered in capitals.
  const name = asked.questions?.[0]?.name ?? '';
  const same = answers.map((a) => (a.name.toLowerCase() === name.toLowerCase() ? { ...a, name } : a));
  const recursion = ((asked.flags ?? 0) & packet.RECURSION_DESIRED) | packet.RECURSION_AVAILABLE;
  return packet.encode({
    type: 'response',
    id: asked.id,
    flags: recursion | (code === SERVFAIL ? 0 : AUTHORITATIVE) | code,
    questions: asked.questions,
    answers: same,
    authorities: authority === undefined ? [] : [authority],
  });
}

/** What does not fit in a datagram is said to be truncated: the client asks again over TCP. */
function fit(query: Buffer, response: Buffer): Buffer {
  const options = packet.decode(query).additionals?.find((a) => a.type === 'OPT') as { udpPayloadSize?: number } | undefined;
  if (response.length <= Math.max(UDP_SIZE, options?.udpPayloadSize ?? 0)) return response;
  const { id, flags, questions } = packet.decode(response);
  return packet.encode({ type: 'response', id, flags: (flags ?? 0) | packet.TRUNCATED_RESPONSE, questions });
}

/** Asks the machine's resolvers in turn. */
async function forward(query: Buffer, resolvers: readonly string[]): Promise<Buffer | undefined> {
  for (const resolver of resolvers) {
    const response = await askOne(query, resolver);
    if (response !== undefined) return response;
  }
  return undefined;
}

function askOne(query: Buffer, resolver: string): Promise<Buffer | undefined> {
  return new Promise((done) => {
    const socket = dgram.createSocket('udp4');
    const finish = (response?: Buffer): void => {
      clearTimeout(deadline);
      socket.close();
      done(response);
    };
    const deadline = setTimeout(finish, UPSTREAM_MS);
    socket.once('error', () => finish());
    socket.on('message', (response) => {
      if (response.readUInt16BE(0) === query.readUInt16BE(0)) finish(response);
    });
    socket.send(query, 53, resolver);
  });
}

/** Over TCP each message has its length before it. */
function overTcp(socket: net.Socket, zone: Zone, resolvers: readonly string[]): void {
  let buffer = Buffer.alloc(0);
  socket.setTimeout(10_000, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 2 && buffer.length >= 2 + buffer.readUInt16BE(0)) {
      const length = buffer.readUInt16BE(0);
      const query = buffer.subarray(2, 2 + length);
      buffer = buffer.subarray(2 + length);
      void answer(query, zone, resolvers).then((response) => {
        if (response === undefined || socket.destroyed) return;
        const head = Buffer.alloc(2);
        head.writeUInt16BE(response.length);
        socket.write(Buffer.concat([head, response]));
      });
    }
  });
}
