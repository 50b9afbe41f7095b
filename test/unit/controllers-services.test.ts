/** EndpointSlices, Endpoints and mirrored slices. */
import { describe, expect, it } from 'vitest';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { subsetsOf, truncate } from '../../src/controllers/endpoints/subsets.ts';
import { groupsOf } from '../../src/controllers/endpointslice/groups.ts';
import { setHints } from '../../src/controllers/endpointslice/hints.ts';
import { type EndpointGroup, planSlices } from '../../src/controllers/endpointslice/slices.ts';
import { mirrorOf } from '../../src/controllers/endpointslice-mirroring/mirror.ts';
import type { EndpointSubset, Endpoints, Event, Node, Pod, Service } from '../../src/generated/types/core.v1.ts';
import type { Endpoint, EndpointSlice } from '../../src/generated/types/discovery.v1.ts';

const SLICES = 'discovery.k8s.io/endpointslices';
const TRIGGER = 'endpoints.kubernetes.io/last-change-trigger-time';

interface PodFacts {
  ips?: string[];
  ready?: boolean;
  deleting?: boolean;
  phase?: string;
  node?: string;
  ports?: { name: string; containerPort: number; protocol?: string }[];
  sidecarPorts?: { name: string; containerPort: number }[];
  hostname?: string;
  subdomain?: string;
}

const pod = (name: string, facts: PodFacts = {}): Pod => {
  const { ips = ['10.0.0.1'], ready = true, deleting, phase = 'Running', node = 'n1', ports, sidecarPorts } = facts;
  const { hostname, subdomain } = facts;
  return {
    metadata: { name, namespace: 'ns', uid: name, ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: {
      nodeName: node,
      hostname,
      subdomain,
      containers: [{ name: 'main', ports }],
      initContainers: [{ name: 'side', restartPolicy: 'Always', ports: sidecarPorts }],
    },
    status: {
      phase,
      podIP: ips[0],
      podIPs: ips.map((ip) => ({ ip })),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  } as unknown as Pod;
};
const service = (spec: object, annotations = {}): Service =>
  ({ metadata: { name: 'web', namespace: 'ns', annotations }, spec }) as unknown as Service;
const node = (name: string, zone?: string, cpu = '4', ready = 'True', labels = {}): Node =>
  ({
    metadata: { name, labels: { ...labels, ...(zone ? { 'topology.kubernetes.io/zone': zone } : {}) } },
    status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: ready }] },
  }) as unknown as Node;

describe('the endpoints of a Service', () => {
  const nodes = new Map([['n1', node('n1', 'z1')]]);
  const ends = (spec: object, pods: Pod[], type = 'IPv4') =>
    groupsOf(service(spec), pods, nodes, type).flatMap((group) =>
      group.endpoints.map(({ addresses, conditions, zone, hostname }) => [
        group.ports.map(({ name, port }) => `${name}:${port}`).join(),
        addresses?.join(),
        [conditions?.ready, conditions?.serving, conditions?.terminating].map((x) => (x ? 'y' : 'n')).join(''),
        ...(zone === 'z1' ? [] : [zone]),
        ...(hostname === undefined ? [] : [hostname]),
      ]),
    );
  const http = { name: 'http', port: 80, targetPort: 'web', protocol: 'TCP' };
  const plain = { ports: [{ port: 80, targetPort: 8080 }] };
  it.each<[string, object, Pod[], string, unknown[]]>([
    ['ready', plain, [pod('a')], 'IPv4', [[':8080', '10.0.0.1', 'yyn']]],
    ['not ready', plain, [pod('a', { ready: false })], 'IPv4', [[':8080', '10.0.0.1', 'nnn']]],
    [
      'not ready, published',
      { ...plain, publishNotReadyAddresses: true },
      [pod('a', { ready: false })],
      'IPv4',
      [[':8080', '10.0.0.1', 'ynn']],
    ],
    ['terminating', plain, [pod('a', { deleting: true })], 'IPv4', [[':8080', '10.0.0.1', 'nyy']]],
    ['ended', plain, [pod('a', { phase: 'Succeeded' })], 'IPv4', []],
    ['without address', plain, [pod('a', { ips: [] })], 'IPv4', []],
    ['the other family', plain, [pod('a')], 'IPv6', []],
    ['dual stack', plain, [pod('a', { ips: ['10.0.0.1', 'fd00::1'] })], 'IPv6', [[':8080', 'fd00::1', 'yyn']]],
    ['on a node that is gone', plain, [pod('a', { node: 'gone' })], 'IPv4', []],
    [
      'on a node that is gone, published',
      { ...plain, publishNotReadyAddresses: true },
      [pod('a', { node: 'gone' })],
      'IPv4',
      [[':8080', '10.0.0.1', 'yyn', undefined]],
    ],
    [
      'ports by name, of a sidecar too',
      { ports: [http] },
      [
        pod('a', { ports: [{ name: 'web', containerPort: 81, protocol: 'TCP' }] }),
        pod('b', { ips: ['10.0.0.2'], sidecarPorts: [{ name: 'web', containerPort: 82 }] }),
      ],
      'IPv4',
      [
        ['http:81', '10.0.0.1', 'yyn'],
        ['http:82', '10.0.0.2', 'yyn'],
      ],
    ],
    [
      'no port of that name: an endpoint without ports',
      { ports: [http] },
      [pod('a')],
      'IPv4',
      [['', '10.0.0.1', 'yyn']],
    ],
    [
      'a hostname under the subdomain',
      plain,
      [pod('a', { hostname: 'a', subdomain: 'web' }), pod('b', { hostname: 'b', subdomain: 'other' })],
      'IPv4',
      [
        [':8080', '10.0.0.1', 'yyn', 'a'],
        [':8080', '10.0.0.1', 'yyn'],
      ],
    ],
  ])('%s', (_, spec, pods, type, expected) => {
    expect(ends(spec, pods, type)).toEqual(expected);
  });
});

describe('slices', () => {
  const endpoints = (from: number, to: number): Endpoint[] =>
    Array.from({ length: to - from }, (_, i) => ({ addresses: [`10.0.0.${from + i}`] })) as Endpoint[];
  const ports = [{ name: '', protocol: 'TCP', port: 80 }];
  const slice = (name: string, held: Endpoint[], of = ports, owner = 'us'): EndpointSlice =>
    ({
      metadata: { name, ownerReferences: [{ uid: owner }] },
      addressType: 'IPv4',
      ports: of,
      endpoints: held,
    }) as unknown as EndpointSlice;
  const group = (all: Endpoint[], of = ports): EndpointGroup => ({ addressType: 'IPv4', ports: of, endpoints: all });
  const other = [{ name: 'x', protocol: 'TCP', port: 81 }];
  const owned = ({ metadata }: EndpointSlice): boolean => metadata.ownerReferences?.[0]?.uid === 'us';

  it.each<[string, EndpointSlice[], EndpointGroup[], string[], string[]]>([
    ['none: a placeholder', [], [], ['new 0*'], []],
    ['a placeholder stays', [slice('p', [], [])], [], ['p 0'], []],
    ['new ones', [], [group(endpoints(0, 150))], ['new 100*', 'new 50*'], []],
    [
      'kept in place',
      [slice('a', endpoints(0, 10)), slice('b', endpoints(10, 20))],
      [group(endpoints(5, 20))],
      ['a 5*', 'b 10'],
      [],
    ],
    ['what fits goes into one', [slice('a', endpoints(0, 90))], [group(endpoints(0, 100))], ['a 100*'], []],
    [
      'what does not fit goes into a new one',
      [slice('a', endpoints(0, 90))],
      [group(endpoints(0, 120))],
      ['a 90', 'new 30*'],
      [],
    ],
    [
      'into the fullest that has room',
      [slice('a', endpoints(0, 50)), slice('b', endpoints(50, 140)), slice('c', endpoints(140, 238))],
      [group(endpoints(0, 243))],
      ['a 50', 'b 95*', 'c 98'],
      [],
    ],
    [
      'what is written anyway is filled first',
      [slice('a', endpoints(0, 50)), slice('b', endpoints(50, 140))],
      [group(endpoints(1, 150))],
      ['a 59*', 'b 90'],
      [],
    ],
    ['emptied', [slice('a', endpoints(0, 5)), slice('b', endpoints(5, 9))], [group(endpoints(5, 9))], ['b 4'], ['a']],
    ['all gone', [slice('a', endpoints(0, 5)), slice('b', endpoints(5, 9))], [], ['a 0*'], ['b']],
    [
      'other ports: the slice is taken over',
      [slice('a', endpoints(0, 5))],
      [group(endpoints(0, 5), other)],
      ['a 5*'],
      [],
    ],
    [
      'of a namesake that is gone',
      [slice('a', endpoints(0, 5), ports, 'old')],
      [group(endpoints(0, 5))],
      ['new 5*'],
      ['a'],
    ],
  ])('%s', (_, existing, groups, expected, removed) => {
    const plan = planSlices(existing, groups, 'IPv4', 100, owned);
    const found = plan.slices.map(
      ({ existing: held, endpoints: all, changed }) =>
        `${held?.metadata.name ?? 'new'} ${all.length}${changed ? '*' : ''}`,
    );
    expect(found).toEqual(expected);
    expect(plan.remove.map(({ metadata }) => metadata.name)).toEqual(removed);
  });
});

describe('hints', () => {
  const ready = (zone: string | undefined, nodeName = 'n1', isReady = true): Endpoint =>
    ({ addresses: ['10.0.0.1'], conditions: { ready: isReady }, zone, nodeName }) as unknown as Endpoint;
  const zones = [node('a', 'z1'), node('b', 'z2')];
  const many = (counts: Record<string, number>): Endpoint[] =>
    Object.entries(counts).flatMap(([zone, count]) => Array.from({ length: count }, () => ready(zone)));
  const auto = { 'service.kubernetes.io/topology-mode': 'Auto' };
  const run = (of: Service, endpoints: Endpoint[], nodes: Node[] = zones, hadHints = false) => {
    const slice = { addressType: 'IPv4', ports: [], endpoints, changed: true };
    const events = setHints(of, [slice], nodes, hadHints);
    const hints = slice.endpoints.map(({ hints: given }) => [
      ...(given?.forZones ?? []).map(({ name }) => name),
      ...(given?.forNodes ?? []).map(({ name }) => `on ${name}`),
    ]);
    return { hints: hints.map((list) => list.join(' ')), events: events.map(({ message }) => message) };
  };
  const counted = (list: string[]) =>
    Object.fromEntries([...Map.groupBy(list, (x) => x)].map(([k, v]) => [k, v.length]));

  it.each([
    [undefined, ['', '', '']],
    ['PreferClose', ['z1', '', '']],
    ['PreferSameZone', ['z1', '', '']],
    ['PreferSameNode', ['z1 on n1', '', 'on n3']],
    ['Unknown', ['', '', '']],
  ])('trafficDistribution %s', (trafficDistribution, expected) => {
    const endpoints = [ready('z1'), ready('z2', 'n2', false), ready(undefined, 'n3')];
    expect(run(service({ trafficDistribution }), endpoints).hints).toEqual(expected);
  });

  it.each<[string, Endpoint[], Node[], Record<string, number>, string]>([
    ['as they are', many({ z1: 2, z2: 2 }), zones, { z1: 2, z2: 2 }, 'Topology Aware Hints has been enabled'],
    ['shared out', many({ z1: 4, z2: 0 }), zones, { z1: 2, z2: 2 }, 'Topology Aware Hints has been enabled'],
    [
      'by the CPUs',
      many({ z1: 8 }),
      [node('a', 'z1', '6'), node('b', 'z2', '2'), node('c', 'z3', '9', 'False')],
      { z1: 6, z2: 2 },
      'Topology Aware Hints has been enabled',
    ],
    ['too few', many({ z1: 1 }), zones, { '': 1 }, 'Insufficient number of endpoints (1 endpoints, 2 zones)'],
    [
      'one zone',
      many({ z1: 4 }),
      [node('a', 'z1')],
      { '': 4 },
      'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    ],
    [
      'too uneven',
      many({ z1: 3 }),
      [node('a', 'z1', '6'), node('b', 'z2', '1'), node('c', 'z3', '1')],
      { '': 3 },
      'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (3 endpoints, 3 zones)',
    ],
    [
      'without zone',
      [...many({ z1: 3 }), ready('')],
      zones,
      { '': 4 },
      'One or more endpoints do not have a zone specified',
    ],
  ])('Auto: %s', (_, endpoints, nodes, expected, message) => {
    const found = run(service({}, auto), endpoints, nodes);
    expect([counted(found.hints), found.events]).toEqual([expected, [message]]);
  });

  it('Auto: no event while nothing changes, and hints that are fine stay', () => {
    const held = many({ z1: 2, z2: 2 }).map((endpoint) => ({
      ...endpoint,
      hints: { forZones: [{ name: endpoint.zone ?? '' }] },
    }));
    const slice = { addressType: 'IPv4', ports: [], endpoints: held, changed: false };
    expect(setHints(service({}, auto), [slice], zones, true)).toEqual([]);
    expect(slice.changed).toBe(false);
    expect(setHints(service({}), [slice], zones, true)).toEqual([]);
    expect([slice.changed, slice.endpoints.some(({ hints }) => hints)]).toEqual([true, false]);
  });
});

describe('Endpoints', () => {
  const named = (name: string, targetPort: string) => ({ name, port: 80, targetPort, protocol: 'TCP' });
  const show = (subsets: EndpointSubset[]) =>
    subsets.map(({ addresses, notReadyAddresses, ports }) => [
      addresses?.map(({ ip }) => ip).join() ?? '',
      notReadyAddresses?.map(({ ip }) => ip).join() ?? '',
      ports?.map(({ name = '', port }) => `${name}:${port}`).join() ?? '',
    ]);
  it.each<[string, object, Pod[], unknown[]]>([
    [
      'ready and not',
      { ports: [{ port: 80, targetPort: 8080 }] },
      [pod('a', { ips: ['10.0.0.2'] }), pod('b'), pod('c', { ips: ['10.0.0.3'], ready: false })],
      [['10.0.0.1,10.0.0.2', '10.0.0.3', ':8080']],
    ],
    [
      'ports that not all serve',
      { ports: [named('x', 'px'), named('y', 'py')] },
      [
        pod('a', { ports: [{ name: 'px', containerPort: 1, protocol: 'TCP' }] }),
        pod('b', {
          ips: ['10.0.0.2'],
          ports: [
            { name: 'px', containerPort: 1, protocol: 'TCP' },
            { name: 'py', containerPort: 2, protocol: 'TCP' },
          ],
        }),
      ],
      [
        ['10.0.0.1,10.0.0.2', '', 'x:1'],
        ['10.0.0.2', '', 'y:2'],
      ],
    ],
    ['headless without ports', { clusterIP: 'None' }, [pod('a')], [['10.0.0.1', '', '']]],
    ['no ports, not headless', { clusterIP: '10.1.1.1' }, [pod('a')], []],
    [
      'the first family',
      { ipFamilies: ['IPv6', 'IPv4'], ports: [{ port: 80 }] },
      [pod('a', { ips: ['10.0.0.1', 'fd00::1'] }), pod('b')],
      [['fd00::1', '', ':80']],
    ],
    ['terminating ones are gone', { ports: [{ port: 80 }] }, [pod('a', { deleting: true })], []],
  ])('%s', (_, spec, pods, expected) => {
    expect(show(subsetsOf(service(spec), pods))).toEqual(expected);
  });

  it('hold 1000 addresses, ready ones first, in proportion', () => {
    const list = (count: number) => Array.from({ length: count }, (_, i) => ({ ip: `10.0.0.${i}` }));
    const sizes = (subsets: EndpointSubset[]) =>
      truncate(subsets).map(({ addresses = [], notReadyAddresses = [] }) => [
        addresses.length,
        notReadyAddresses.length,
      ]);
    expect(sizes([{ addresses: list(600), notReadyAddresses: list(400) }])).toEqual([[600, 400]]);
    expect(sizes([{ addresses: list(900), notReadyAddresses: list(300) }, { notReadyAddresses: list(100) }])).toEqual([
      [900, 75],
      [0, 25],
    ]);
    expect(sizes([{ addresses: list(1500), notReadyAddresses: list(1) }, { addresses: list(500) }])).toEqual([
      [750, 0],
      [250, 0],
    ]);
  });

  it('are mirrored by ports and address type; what is no address is told', () => {
    const endpoints = {
      metadata: { name: 'x' },
      subsets: [
        { addresses: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }, { ip: 'bogus' }], ports: [{ port: 80 }] },
        { addresses: [{ ip: '10.0.0.1' }], notReadyAddresses: [{ ip: '10.0.0.2' }], ports: [{ port: 80 }] },
      ],
    } as Endpoints;
    const { groups, invalid, skipped } = mirrorOf(endpoints);
    const found = groups.map(({ addressType, endpoints: all }) => [
      addressType,
      all.map(({ addresses, conditions }) => `${addresses?.[0]} ${conditions?.ready}`),
    ]);
    expect(found).toEqual([
      ['IPv4', ['10.0.0.1 true', '10.0.0.2 false']],
      ['IPv6', ['fd00::1 true']],
    ]);
    expect([invalid, skipped]).toEqual([1, 1]);
  });

  it('are mirrored port by port where the ports have not the same addresses', () => {
    const [p, q] = [
      { name: 'p', port: 80 },
      { name: 'q', port: 81 },
    ];
    const endpoints = {
      metadata: { name: 'x' },
      subsets: [
        { addresses: [{ ip: '10.0.0.1' }], ports: [p, q] },
        { addresses: [{ ip: 'fd00::1' }], ports: [p] },
      ],
    } as Endpoints;
    expect(
      mirrorOf(endpoints).groups.map(({ addressType, ports }) => [addressType, ports.map(({ name }) => name)]),
    ).toEqual([
      ['IPv4', ['p']],
      ['IPv6', ['p']],
      ['IPv4', ['q']],
    ]);
  });
});

describe('the controllers', () => {
  it('say what triggered a change, follow nodes, and count mirrored addresses', async () => {
    const simulation = new Simulation({ kubelet: false });
    const { cluster } = simulation;
    await cluster.create('core/namespaces', { metadata: { name: 'ns' } });
    await simulation.addNode('n1', { 'topology.kubernetes.io/zone': 'z1' });
    await cluster.create('core/services', {
      kind: 'Service',
      metadata: { name: 'web', namespace: 'ns' },
      spec: { ipFamilies: ['IPv4'], selector: { app: 'web' }, ports: [{ port: 80 }] },
    } as Service);
    await simulation.settle();
    const slice = (name = 'web') =>
      cluster.all<EndpointSlice>(SLICES).find(({ metadata }) => metadata.name.startsWith(`${name}-`));
    const created = cluster.peek<Service>('core/services', 'ns', 'web')?.metadata.creationTimestamp;
    expect(slice()?.metadata.annotations).toEqual({ [TRIGGER]: created });
    for (const [name, at] of [
      ['a', '2026-01-01T00:00:05Z'],
      ['b', '2026-01-01T00:00:03Z'],
    ] as const) {
      const { status, spec } = pod(name, { ips: [`10.0.0.${name === 'a' ? 1 : 2}`], node: name === 'a' ? 'n1' : 'n2' });
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: at }];
      await cluster.create('core/pods', {
        metadata: { name, namespace: 'ns', labels: { app: 'web' } },
        spec,
        status: { ...status, conditions },
      } as Pod);
    }
    await simulation.settle();
    const held = () => slice()?.endpoints?.map(({ nodeName, zone }) => `${nodeName} ${zone}`);
    expect([held(), slice()?.metadata.annotations?.[TRIGGER]]).toEqual([['n1 z1'], '2026-01-01T00:00:03Z']);
    await simulation.addNode('n2', { 'topology.kubernetes.io/zone': 'z2' });
    await simulation.settle();
    expect(held()).toEqual(['n1 z1', 'n2 z2']);
    await cluster.patch('core/nodes', '', 'n1', 'merge', {
      metadata: { labels: { 'topology.kubernetes.io/zone': 'z3' } },
    });
    await simulation.settle();
    expect(held()).toEqual(['n1 z3', 'n2 z2']);
    await cluster.delete('core/pods', 'ns', 'a', { gracePeriodSeconds: 0 });
    await simulation.settle();
    expect([held(), slice()?.metadata.annotations]).toEqual([['n2 z2'], {}]);

    const addresses = Array.from({ length: 1003 }, (_, i) => ({ ip: `10.1.${Math.floor(i / 250)}.${i % 250}` }));
    await cluster.create('core/services', { metadata: { name: 'bare', namespace: 'ns' }, spec: {} } as Service);
    await cluster.create('core/endpoints', {
      metadata: { name: 'bare', namespace: 'ns', labels: { a: 'b' } },
      subsets: [{ addresses, ports: [{ port: 80 }] }],
    } as Endpoints);
    await simulation.settle();
    expect(slice('bare')?.endpoints).toHaveLength(1000);
    const events = cluster.all<Event>('core/events').filter(({ involvedObject }) => involvedObject?.kind !== 'Node');
    expect(events.map(({ reason, message }) => [reason, message])).toEqual([
      [
        'TooManyAddressesToMirror',
        'A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 3 addresses were skipped',
      ],
    ]);
    await cluster.patch('core/endpoints', 'ns', 'bare', 'merge', {
      metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    });
    await simulation.settle();
    expect(slice('bare')).toBeUndefined();
  });
});
