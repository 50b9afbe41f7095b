/** One query, one response: the DNS message around what the zone knows. */
import packet, { type OptAnswer, type Packet, type Answer as PacketAnswer } from 'dns-packet';
import { isOurs, resolve, type Zone } from './records.ts';
import type { Forwarder } from './upstream.ts';

const FORMERR = 1;
const SERVFAIL = 2;
const NXDOMAIN = 3;
const NOTIMP = 4;
const HEADER = 12;
const OPCODE = 0x78;
/** What a client takes over UDP that says nothing of it, and the most that is sent however much it takes. */
const MIN_UDP = 512;
const MAX_UDP = 1232;
const NEGATIVE_TTL = 5;

/** The response to one query; undefined for what is no query. Never rejects. */
export async function answer(
  query: Buffer,
  zone: Zone,
  forwarder: Forwarder,
  tcp: boolean,
): Promise<Buffer | undefined> {
  const isQuery = query.length >= HEADER && (query[2] as number) < 0x80;
  if (!isQuery) return undefined;
  if (((query[2] as number) & OPCODE) !== 0) return bare(query, NOTIMP);
  let asked: Packet;
  try {
    asked = packet.decode(query);
  } catch {
    return bare(query, FORMERR);
  }
  const question = asked.questions?.[0];
  if (question === undefined || asked.questions?.length !== 1) return bare(query, FORMERR);
  try {
    const name = question.name.toLowerCase().replace(/\.$/, '');
    // Before the first lists have come nothing can be said not to exist.
    if (!isOurs(zone, name)) return (await forwarder.ask(query, tcp)) ?? bare(query, SERVFAIL);
    if (zone.isComplete?.() === false) return bare(query, SERVFAIL);
    const found = resolve(zone, name, question.type);
    if (found === undefined) return reply(asked, NXDOMAIN, [], soa(zone));
    if (found.length > 0) return reply(asked, 0, found as PacketAnswer[]);
    const outside = externalName(zone, name);
    if (outside === undefined) return reply(asked, 0, [], soa(zone));
    return reply(asked, 0, await follow(asked, name, outside, zone, forwarder, tcp));
  } catch {
    return bare(query, SERVFAIL);
  }
}

/** A header alone: the query's own, made a response. */
function bare(query: Buffer, code: number): Buffer {
  const response = Buffer.alloc(HEADER);
  query.copy(response, 0, 0, 4);
  response[2] = (query[2] as number) | 0x80;
  response[3] = 0x80 | code;
  return response;
}

/** What a Service of type ExternalName is another name for. */
function externalName(zone: Zone, name: string): string | undefined {
  const [serviceName = '', namespace = '', ...rest] = name.split('.');
  if (rest.join('.') !== `svc.${zone.domain}`) return undefined;
  const spec = zone.services.get(namespace, serviceName)?.spec;
  return spec?.type === 'ExternalName' && spec.externalName ? spec.externalName.replace(/\.$/, '') : undefined;
}

/** The other name and what it stands for: small resolvers take the whole chain from one response, or do not find it. */
async function follow(
  asked: Packet,
  name: string,
  target: string,
  zone: Zone,
  forwarder: Forwarder,
  tcp: boolean,
): Promise<PacketAnswer[]> {
  const alias: PacketAnswer = { type: 'CNAME', name, data: target, ttl: NEGATIVE_TTL };
  const type = asked.questions?.[0]?.type ?? 'A';
  if (type === 'CNAME') return [alias];
  const lower = target.toLowerCase();
  if (isOurs(zone, lower)) return [alias, ...((resolve(zone, lower, type) ?? []) as PacketAnswer[])];
  const question = { type, name: target, class: 'IN' as const };
  const query = packet.encode({ type: 'query', id: asked.id, flags: packet.RECURSION_DESIRED, questions: [question] });
  const response = await forwarder.ask(query, tcp);
  if (response === undefined) return [alias];
  return [alias, ...(packet.decode(response).answers ?? [])];
}

/** What resolvers keep with a "no". */
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

function optionOf(message: Packet): OptAnswer | undefined {
  return message.additionals?.find((record): record is OptAnswer => record.type === 'OPT');
}

function reply(asked: Packet, code: number, answers: PacketAnswer[], authority?: PacketAnswer): Buffer {
  // A name that was asked for in capitals is answered in capitals.
  const name = asked.questions?.[0]?.name ?? '';
  const same = answers.map((a) => (a.name.toLowerCase() === name.toLowerCase() ? { ...a, name } : a));
  const recursion = ((asked.flags ?? 0) & packet.RECURSION_DESIRED) | packet.RECURSION_AVAILABLE;
  return packet.encode({
    type: 'response',
    id: asked.id,
    flags: recursion | packet.AUTHORITATIVE_ANSWER | code,
    questions: asked.questions,
    answers: same,
    authorities: authority === undefined ? [] : [authority],
    additionals: optionOf(asked) === undefined ? [] : [edns()],
  });
}

function edns(): OptAnswer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: MAX_UDP,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** What does not fit in a datagram is said to be truncated: the client asks again over TCP. */
export function fit(query: Buffer, response: Buffer): Buffer {
  if (response.length <= MIN_UDP) return response;
  try {
    const asked = packet.decode(query);
    const takes = Math.max(MIN_UDP, Math.min(optionOf(asked)?.udpPayloadSize ?? 0, MAX_UDP));
    if (response.length <= takes) return response;
    const flags = response.readUInt16BE(2) | packet.TRUNCATED_RESPONSE;
    const additionals = optionOf(asked) === undefined ? [] : [edns()];
    return packet.encode({
      type: 'response',
      id: asked.id,
      flags: flags & 0x7fff,
      questions: asked.questions,
      additionals,
    });
  } catch {
    return bare(query, SERVFAIL);
  }
}
