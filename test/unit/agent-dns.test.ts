import dgram from 'node:dgram';
import net from 'node:net';
import packet, { type Answer, type Packet } from 'dns-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isOurs, resolve, type Zone } from '../../agent/dns/records.ts';
import { serveDns } from '../../agent/dns/server.ts';
import { framed, nameServers, type Resolver, unframe } from '../../agent/dns/upstream.ts';
import type { Listening } from '../../agent/network/api-proxy.ts';
import type { Service } from '../../src/generated/types/core.v1.ts';
import type { EndpointSlice } from '../../src/generated/types/discovery.v1.ts';

const service = (namespace: string, name: string, spec: Service['spec']): Service => ({
  metadata: { namespace, name },
  spec,
});
const slice = (namespace: string, of: string, endpoints: EndpointSlice['endpoints']): EndpointSlice => ({
  metadata: { namespace, name: `${of}-1`, labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  ports: [{ name: 'db', port: 5432, protocol: 'TCP' }],
  endpoints,
});

const SERVICES = [
  service('shop', 'web', { clusterIP: '10.96.0.20', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }),
  service('shop', 'db', { clusterIP: 'None', ports: [{ name: 'db', port: 5432 }] }),
  service('shop', 'empty', { clusterIP: 'None', ports: [{ name: 'db', port: 5432 }] }),
  service('shop', 'early', { clusterIP: 'None', publishNotReadyAddresses: true }),
  service('shop', 'far', { type: 'ExternalName', externalName: 'www.example.test' }),
  service('shop', 'near', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }),
  service('shop', 'six', { clusterIP: 'fd00::20' }),
];
const SLICES = [
  slice('shop', 'db', [
    { addresses: ['10.244.0.5'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.244.1.6'], conditions: {} },
    { addresses: ['10.244.1.7'], hostname: 'db-2', conditions: { ready: false } },
  ]),
  slice('shop', 'early', [{ addresses: ['10.244.1.9'], conditions: { ready: false } }]),
];
const zone: Zone = {
  domain: 'cluster.local',
  services: {
    list: () => SERVICES,
    get: (namespace, name) => SERVICES.find((s) => s.metadata.namespace === namespace && s.metadata.name === name),
  },
  slices: { list: () => SLICES },
};

describe('records', () => {
  const data = (name: string, type: string): unknown => resolve(zone, name, type)?.map((a) => a.data);
  it.each<[string, string, unknown]>([
    ['web.shop.svc.cluster.local', 'A', ['10.96.0.20']],
    ['web.shop.svc.cluster.local', 'AAAA', []],
    ['six.shop.svc.cluster.local', 'AAAA', ['fd00::20']],
    ['web.shop.svc.cluster.local', 'ANY', ['10.96.0.20']],
    ['x.web.shop.svc.cluster.local', 'A', undefined],
    ['nothing.shop.svc.cluster.local', 'A', undefined],
    ['shop.svc.cluster.local', 'A', []],
    ['other.svc.cluster.local', 'A', undefined],
    ['svc.cluster.local', 'A', []],
    ['cluster.local', 'A', []],
    ['db.shop.svc.cluster.local', 'A', ['10.244.0.5', '10.244.1.6']],
    ['db-0.db.shop.svc.cluster.local', 'A', ['10.244.0.5']],
    ['10-244-1-6.db.shop.svc.cluster.local', 'A', ['10.244.1.6']],
    ['db-2.db.shop.svc.cluster.local', 'A', undefined],
    ['empty.shop.svc.cluster.local', 'A', undefined],
    ['early.shop.svc.cluster.local', 'A', ['10.244.1.9']],
    ['far.shop.svc.cluster.local', 'A', []],
    ['10-244-0-5.shop.pod.cluster.local', 'A', ['10.244.0.5']],
    ['10-244-0-999.shop.pod.cluster.local', 'A', undefined],
    ['20.0.96.10.in-addr.arpa', 'PTR', ['web.shop.svc.cluster.local']],
    ['5.0.244.10.in-addr.arpa', 'PTR', ['db-0.db.shop.svc.cluster.local']],
    ['6.1.244.10.in-addr.arpa', 'PTR', ['10-244-1-6.db.shop.svc.cluster.local']],
    ['_http._tcp.web.shop.svc.cluster.local', 'A', []],
    ['_http._udp.web.shop.svc.cluster.local', 'SRV', undefined],
    ['__proto__.__proto__.svc.cluster.local', 'A', undefined],
  ])('%s %s', (name, type, expected) => {
    expect(data(name, type)).toEqual(expected);
  });
  it('names ports with SRV', () => {
    const target = 'web.shop.svc.cluster.local';
    expect(data('_http._tcp.web.shop.svc.cluster.local', 'SRV')).toEqual([
      { target, port: 80, priority: 0, weight: 100 },
    ]);
    const targets = resolve(zone, '_db._tcp.db.shop.svc.cluster.local', 'SRV')?.map((a) =>
      a.type === 'SRV' ? a.data.target : '',
    );
    expect(targets).toEqual(['db-0.db.shop.svc.cluster.local', '10-244-1-6.db.shop.svc.cluster.local']);
  });
  it('leaves other names to others', () => {
    expect(isOurs(zone, 'example.test')).toBe(false);
    expect(isOurs(zone, 'notcluster.local')).toBe(false);
    expect(isOurs(zone, '1.1.1.1.in-addr.arpa')).toBe(false);
  });
  it('reads resolv.conf', () => {
    const text =
      '# x\nnameserver 192.0.2.1\n nameserver fd00::1 # six\nnameserver 10.0.0.9\nnameserver nonsense\nsearch a b\n';
    expect(nameServers(text, '10.0.0.9')).toEqual([{ ip: '192.0.2.1' }, { ip: 'fd00::1' }]);
  });
});

describe('the server', () => {
  const HOST = '127.0.0.1';
  let dns: Listening;
  let outside: Listening;
  let complete = true;
  let resolvers: Resolver[] = [];
  const many = Array.from({ length: 200 }, (_, i) => `192.0.2.${i + 1}`);

  beforeAll(async () => {
    const world = SERVICES.slice(0, 0);
    const all = slice(
      'test',
      'big',
      many.map((ip) => ({ addresses: [ip] })),
    );
    // The same server stands for the world: its domain is another one.
    outside = await serveDns(
      HOST,
      {
        domain: 'test',
        services: {
          list: () => [service('x', 'big', { clusterIP: 'None' })],
          get: (namespace, name) =>
            name === 'big' && namespace === 'test' ? service('test', 'big', { clusterIP: 'None' }) : world[0],
        },
        slices: { list: () => [all] },
      },
      () => [],
    );
    resolvers = [{ ip: HOST, port: outside.port }];
    dns = await serveDns(HOST, { ...zone, isComplete: () => complete }, () => resolvers);
  });
  afterAll(async () => {
    await Promise.all([dns.stop(), outside.stop()]);
  });

  const udp = (query: Buffer): Promise<Packet> =>
    new Promise((done, fail) => {
      const socket = dgram.createSocket('udp4');
      socket.on('message', (message) => {
        socket.close();
        done(packet.decode(message));
      });
      socket.on('error', fail);
      socket.send(query, dns.port, HOST);
    });
  const tcp = (query: Buffer): Promise<Packet> =>
    new Promise((done, fail) => {
      const socket = net.connect(dns.port, HOST, () => socket.write(framed(query)));
      const take = unframe((message) => {
        socket.destroy();
        done(packet.decode(message));
      });
      socket.on('data', take);
      socket.on('error', fail);
    });
  const query = (name: string, type: Answer['type'] = 'A', size?: number): Buffer =>
    packet.encode({
      type: 'query',
      id: 7,
      flags: packet.RECURSION_DESIRED,
      questions: [{ name, type: type as 'A' }],
      additionals:
        size === undefined
          ? []
          : [
              {
                type: 'OPT',
                name: '.',
                udpPayloadSize: size,
                extendedRcode: 0,
                ednsVersion: 0,
                flags: 0,
                flag_do: false,
                options: [],
              },
            ],
    });
  const rcode = (answered: Packet): string => (answered as Packet & { rcode: string }).rcode;
  const datas = (answered: Packet): unknown[] =>
    (answered.answers ?? []).map((a) => ('data' in a ? a.data : undefined));

  it('answers over UDP and TCP, keeping the case of the question', async () => {
    for (const ask of [udp, tcp]) {
      const answered = await ask(query('Web.Shop.svc.cluster.local'));
      expect(answered.id).toBe(7);
      expect(datas(answered)).toEqual(['10.96.0.20']);
      expect(answered.answers?.[0]?.name).toBe('Web.Shop.svc.cluster.local');
    }
  });
  it('says no with an SOA, and nothing of the kind likewise', async () => {
    const no = await udp(query('nothing.shop.svc.cluster.local'));
    expect([rcode(no), no.authorities?.[0]?.type]).toEqual(['NXDOMAIN', 'SOA']);
    const none = await udp(query('web.shop.svc.cluster.local', 'AAAA'));
    expect([rcode(none), none.answers, none.authorities?.[0]?.type]).toEqual(['NOERROR', [], 'SOA']);
  });
  it('answers EDNS with EDNS', async () => {
    const answered = await udp(query('web.shop.svc.cluster.local', 'A', 4096));
    expect(answered.additionals?.[0]?.type).toBe('OPT');
  });
  it('asks others for other names, and follows other names', async () => {
    const answered = await tcp(query('big.test.svc.test'));
    expect(answered.answers).toHaveLength(many.length);
    const near = await udp(query('near.shop.svc.cluster.local'));
    expect(datas(near)).toEqual(['web.shop.svc.cluster.local', '10.96.0.20']);
    const far = await udp(query('far.shop.svc.cluster.local'));
    expect([rcode(far), datas(far)]).toEqual(['NOERROR', ['www.example.test']]);
  });
  it('truncates what does not fit', async () => {
    const answered = await udp(query('big.test.svc.test', 'A', 1232));
    expect((answered.flags ?? 0) & 0x200).toBe(0x200);
    expect(answered.answers).toEqual([]);
  });
  it('says SERVFAIL when nobody answers, and before it knows the cluster', async () => {
    const before = resolvers;
    resolvers = [{ ip: HOST, port: 1 }];
    expect(rcode(await udp(query('example.test')))).toBe('SERVFAIL');
    resolvers = before;
    complete = false;
    expect(rcode(await udp(query('web.shop.svc.cluster.local')))).toBe('SERVFAIL');
    complete = true;
  });
  it('survives nonsense', async () => {
    const refused = await udp(
      Buffer.concat([Buffer.from([0, 7, 1, 0, 0, 5, 0, 0, 0, 0, 0, 0]), Buffer.alloc(40, 0xff)]),
    );
    expect(rcode(refused)).toBe('FORMERR');
    const update = query('web.shop.svc.cluster.local');
    update[2] = 0x28;
    expect(rcode(await udp(update))).toBe('NOTIMP');
    const socket = dgram.createSocket('udp4');
    socket.send(Buffer.from('x'), dns.port, HOST, () => socket.close());
    expect(datas(await udp(query('web.shop.svc.cluster.local')))).toEqual(['10.96.0.20']);
  });
});
