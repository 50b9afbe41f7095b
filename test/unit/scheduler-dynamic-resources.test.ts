/** Devices in scheduling: which ones a claim gets on which node. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import type { Pod } from '../../src/generated/types/core.v1.ts';
import type { Device, DeviceClaim, ResourceSlice } from '../../src/generated/types/resource.v1.ts';
import {
  cel,
  claim,
  claimOf,
  DRIVER,
  device,
  devicesOf,
  inZone,
  lab,
  type Made,
  PROTECTION,
  request,
  slice,
  using,
} from '../support/devices.ts';

const A = { model: { string: 'a' }, index: { int: 1 } };
const B = { model: { string: 'b' }, index: { int: 2 } };
const MODEL = `${DRIVER}/model`;
const isModel = (model: string) => ({ selectors: [cel(`device.attributes["${DRIVER}"].model == "${model}"`)] });
const taint = (effect: string) => ({ taints: [{ key: 'sick', value: 'yes', effect }] });
const counters = (memory: string) => ({
  consumesCounters: [{ counterSet: 'card', counters: { memory: { value: memory } } }],
});
const partitions = (...devices: Device[]): ResourceSlice[] => [
  slice('n1', devices, { pool: { name: 'n1', generation: 1, resourceSliceCount: 2 } }),
  slice('n1-sets', [], {
    pool: { name: 'n1', generation: 1, resourceSliceCount: 2 },
    sharedCounters: [{ name: 'card', counters: { memory: { value: '10Gi' } } }],
    nodeName: 'n1',
  }),
];
const shared = (policy: JsonObject = {}): Device =>
  device('s', {}, { allowMultipleAllocations: true, capacity: { memory: { value: '10Gi', requestPolicy: policy } } });
const memory = (amount: string) => ({ capacity: { requests: { memory: amount } } });
const alternatives = (...subs: JsonObject[]) => ({
  name: 'r',
  firstAvailable: subs.map((sub, i) => ({
    name: `s${i}`,
    deviceClassName: 'gpu',
    allocationMode: 'ExactCount',
    count: 1,
    ...sub,
  })),
});

describe.each<[what: string, slices: ResourceSlice[], requests: DeviceClaim, devices: string[] | undefined]>([
  ['a device of a node', [slice('n2', ['d'])], { requests: [request('r')] }, ['r=n2/d']],
  ['none where there is no slice', [], { requests: [request('r')] }, undefined],
  ['so many', [slice('n1', ['a', 'b', 'c'])], { requests: [request('r', { count: 2 })] }, ['r=n1/a', 'r=n1/b']],
  ['not more than there are', [slice('n1', ['a'])], { requests: [request('r', { count: 2 })] }, undefined],
  ['several requests', [slice('n1', ['a', 'b'])], { requests: [request('x'), request('y')] }, ['x=n1/a', 'y=n1/b']],
  [
    'by a selector',
    [slice('n1', [device('a', A), device('b', B)])],
    { requests: [request('r', isModel('b'))] },
    ['r=n1/b'],
  ],
  [
    'by capacity, and the driver',
    [
      slice('n1', [
        device('a', {}, { capacity: { memory: { value: '1Gi' } } }),
        device('b', {}, { capacity: { memory: { value: '8Gi' } } }),
      ]),
    ],
    {
      requests: [
        request('r', {
          selectors: [
            cel(`device.driver == "${DRIVER}"`),
            cel(`device.capacity["${DRIVER}"].memory.compareTo(quantity("4Gi")) >= 0`),
          ],
        }),
      ],
    },
    ['r=n1/b'],
  ],
  [
    'the one way that is left, found by going back',
    [slice('n1', [device('a', A), device('b', B)])],
    { requests: [request('any'), request('a', isModel('a'))] },
    ['any=n1/b', 'a=n1/a'],
  ],
  [
    'all of a node',
    [slice('n1', ['a', 'b'])],
    { requests: [request('r', { allocationMode: 'All' })] },
    ['r=n1/a', 'r=n1/b'],
  ],
  [
    'with the same attribute',
    [slice('n1', [device('a', A), device('b', B), device('c', B)])],
    { requests: [request('r', { count: 2 })], constraints: [{ matchAttribute: MODEL }] },
    ['r=n1/b', 'r=n1/c'],
  ],
  [
    'with distinct attributes',
    [slice('n1', [device('a', A), device('b', A), device('c', B)])],
    { requests: [request('r', { count: 2 })], constraints: [{ requests: ['r'], distinctAttribute: MODEL }] },
    ['r=n1/a', 'r=n1/c'],
  ],
  [
    'none without the attribute of a constraint',
    [slice('n1', ['a', 'b'])],
    { requests: [request('r')], constraints: [{ matchAttribute: MODEL }] },
    undefined,
  ],
  [
    'the first of the alternatives that there is',
    [slice('n1', [device('a', A)])],
    { requests: [alternatives(isModel('b'), isModel('a'))] },
    ['r/s1=n1/a'],
  ],
  [
    'none of an incomplete pool',
    [slice('n1', ['a'], { pool: { name: 'n1', generation: 1, resourceSliceCount: 2 } })],
    { requests: [request('r')] },
    undefined,
  ],
  [
    'the newest generation',
    [
      slice('n1', ['old']),
      slice('n1-2', ['new'], { nodeName: 'n1', pool: { name: 'n1', generation: 2, resourceSliceCount: 1 } }),
    ],
    { requests: [request('r')] },
    ['r=n1/new'],
  ],
  ['none with a taint', [slice('n1', [device('a', {}, taint('NoSchedule'))])], { requests: [request('r')] }, undefined],
  [
    'one with a taint that does nothing',
    [slice('n1', [device('a', {}, taint('None'))])],
    { requests: [request('r')] },
    ['r=n1/a'],
  ],
  [
    'one with a taint that is tolerated',
    [slice('n1', [device('a', {}, taint('NoExecute'))])],
    { requests: [request('r', { tolerations: [{ key: 'sick', operator: 'Exists' }] })] },
    ['r=n1/a'],
  ],
  [
    'partitions within their counters',
    partitions(device('a', {}, counters('8Gi')), device('b', {}, counters('4Gi')), device('c', {}, counters('6Gi'))),
    { requests: [request('r', { count: 2 })] },
    ['r=n1/b', 'r=n1/c'],
  ],
  [
    'no partitions beyond their counters',
    partitions(device('a', {}, counters('8Gi')), device('b', {}, counters('4Gi'))),
    { requests: [request('r', { count: 2 })] },
    undefined,
  ],
  [
    'one device several times, within its capacity',
    [slice('n1', [shared()])],
    { requests: [request('x', memory('6Gi')), request('y', memory('4Gi'))] },
    ['x=n1/s', 'y=n1/s'],
  ],
  [
    'not beyond its capacity',
    [slice('n1', [shared()])],
    { requests: [request('x', memory('6Gi')), request('y', memory('5Gi'))] },
    undefined,
  ],
  [
    'capacities rounded up by their policy',
    [slice('n1', [shared({ default: '4Gi', validValues: ['4Gi', '8Gi'] })])],
    { requests: [request('x', memory('5Gi')), request('y')] },
    undefined,
  ],
  [
    'devices that say themselves where they are',
    [
      slice(
        'far',
        [
          { name: 'a', nodeName: 'other' },
          { name: 'b', nodeSelector: inZone('b') },
        ],
        { perDeviceNodeSelection: true },
      ),
    ],
    { requests: [request('r')] },
    ['r=far/b'],
  ],
])('a claim gets %s', (_, slices, devices, expected) => {
  it(expected === undefined ? 'and so nothing' : expected.join(', '), async () => {
    const made = await lab({ slices, claims: [claim('c', devices)] });
    await made.pod('p', {}, using('c'));
    await made.settle();
    expect(devicesOf(made, 'c')).toEqual(expected ?? []);
    if (expected === undefined) {
      expect(made.nodeOf('p')).toBeUndefined();
      expect(made.why('p')).toContain('cannot allocate all claims');
      expect(claimOf(made, 'c')?.metadata.finalizers).toBeUndefined();
    } else {
      expect(made.nodeOf('p')).toBeDefined();
      const { metadata, status } = claimOf(made, 'c') ?? {};
      expect(metadata?.finalizers).toEqual([PROTECTION]);
      expect(status?.reservedFor).toEqual([{ resource: 'pods', name: 'p', uid: made.get('p')?.metadata.uid }]);
    }
  });
});

it.each<[what: string, made: Made, pod: Partial<NonNullable<Pod['spec']>>, message: string]>([
  ['there is no claim', {}, using('c'), 'resourceclaim.resource.k8s.io "c" not found'],
  [
    'there is no class',
    { claims: [claim('c', { requests: [request('r', { deviceClassName: 'x' })] })] },
    using('c'),
    'request r: device class x does not exist',
  ],
  [
    'the claim goes',
    {
      claims: [
        { ...claim('c'), metadata: { name: 'c', namespace: 'default', deletionTimestamp: '2026-01-01T00:00:00Z' } },
      ],
    },
    using('c'),
    'resourceclaim "c" is being deleted',
  ],
  [
    'a selector fails',
    {
      slices: [slice('n1', ['d'])],
      claims: [claim('c', { requests: [request('r', { selectors: [cel('device.attributes["x"].y')] })] })],
    },
    using('c'),
    'claim default/c: selector #0: CEL runtime error: no such key: y',
  ],
  [
    'a pool contradicts itself',
    { slices: [slice('n1', ['d', 'd']), slice('n2', ['d', 'd'])], claims: [claim('c')] },
    using('c'),
    '0/2 nodes are available: 2 invalid resource pools were encountered. still not schedulable',
  ],
  [
    'a search would not end',
    {
      slices: [
        slice(
          'n1',
          Array.from({ length: 60 }, (_, i) => device(`d${i}`, { n: { int: i % 2 } })),
        ),
      ],
      claims: [
        claim('c', {
          requests: [request('x', { count: 20 }), request('y', { count: 12 })],
          constraints: [
            { requests: ['x'], matchAttribute: `${DRIVER}/n` },
            { requests: ['y'], matchAttribute: `${DRIVER}/n` },
            { matchAttribute: `${DRIVER}/n` },
          ],
        }),
      ],
    },
    using('c'),
    'timed out trying to allocate devices',
  ],
  [
    'it wants more than can be looked for',
    {
      slices: Array.from({ length: 10 }, (_, i) =>
        slice(
          `s${i}`,
          Array.from({ length: 100 }, (_, d) => `d${d}`),
          { nodeName: 'n1' },
        ),
      ),
      claims: Array.from({ length: 30 }, (_, i) =>
        claim(`c${i}`, { requests: Array.from({ length: 32 }, (_, r) => request(`r${r}`)) }),
      ),
    },
    using(...Array.from({ length: 30 }, (_, i) => `c${i}`)),
    'timed out trying to allocate devices',
  ],
])('a pod waits, and is told why, when %s', async (_, objects, spec, message) => {
  const made = await lab(objects);
  await made.pod('p', {}, spec);
  await made.settle();
  expect(made.nodeOf('p')).toBeUndefined();
  expect(made.why('p')).toContain(message);
});

describe('an allocation', () => {
  it.each<[what: string, slices: ResourceSlice[], expected: unknown]>([
    [
      'of one node',
      [slice('n1', ['d'])],
      { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }] },
    ],
    ['of some nodes', [slice('net', ['d'], { nodeSelector: inZone('a') })], inZone('a')],
    ['of all nodes', [slice('net', ['d'], { allNodes: true })], undefined],
  ])('%s says where it can be used', async (_, slices, expected) => {
    const made = await lab({ slices, claims: [claim('c')] });
    await made.pod('p', {}, using('c'));
    await made.settle();
    expect(made.nodeOf('p')).toBeDefined();
    expect(claimOf(made, 'c')?.status?.allocation?.nodeSelector).toEqual(expected);
  });

  it('has the configuration of its classes, and that of the claim for what was chosen', async () => {
    const opaque = (n: number) => ({ opaque: { driver: DRIVER, parameters: { n } } });
    const requests = [request('x'), alternatives(isModel('b'), {})];
    const config = [
      opaque(2),
      { requests: ['r'], ...opaque(3) },
      { requests: ['r/s0'], ...opaque(4) },
      { requests: ['x'], ...opaque(5) },
    ];
    const made = await lab({
      slices: [slice('n1', [device('a', A), device('c', A)])],
      claims: [claim('c', { requests, config })],
      class: { config: [opaque(1)] },
    });
    await made.pod('p', {}, using('c'));
    await made.settle();
    expect(claimOf(made, 'c')?.status?.allocation?.devices?.config).toEqual([
      { source: 'FromClass', requests: ['x', 'r/s1'], ...opaque(1) },
      { source: 'FromClaim', ...opaque(2) },
      { source: 'FromClaim', requests: ['r'], ...opaque(3) },
      { source: 'FromClaim', requests: ['x'], ...opaque(5) },
    ]);
  });

  it('with administrator’s access takes a device from nobody', async () => {
    const admin = claim('admin', { requests: [request('r', { adminAccess: true })] });
    const made = await lab({ slices: [slice('n1', ['d'])], claims: [claim('c'), admin] });
    await made.pod('p', {}, using('c'));
    await made.pod('q', {}, using('admin'));
    await made.settle();
    expect([devicesOf(made, 'c'), devicesOf(made, 'admin')]).toEqual([['r=n1/d'], ['r=n1/d']]);
    expect(claimOf(made, 'admin')?.status?.allocation?.devices?.results?.[0]?.adminAccess).toBe(true);
  });

  it('of a shared device says what it takes', async () => {
    const slices = [slice('n1', [shared({ default: '1Gi', validRange: { min: '2Gi', step: '2Gi' } })])];
    const claims = ['5Gi', '1Gi', '4Gi'].map((m, i) => claim(`c${i}`, { requests: [request('r', memory(m))] }));
    const made = await lab({ slices, claims });
    for (const i of [0, 1, 2]) {
      await made.pod(`p${i}`, {}, using(`c${i}`));
      await made.settle();
    }
    const results = [0, 1, 2].map((i) => claimOf(made, `c${i}`)?.status?.allocation?.devices?.results?.[0]);
    expect(results.map((one) => one?.consumedCapacity)).toEqual([{ memory: '6Gi' }, { memory: '2Gi' }, undefined]);
    expect(new Set(results.map((one) => one?.shareID)).size).toBe(3);
  });

  it('is used by all pods that share the claim, on a node where it can be', async () => {
    const made = await lab({ slices: [slice('n2', ['d'])], claims: [claim('c')] });
    await made.pod('p', {}, using('c'));
    await made.pod('q', {}, using('c'));
    await made.settle();
    await made.after(2000);
    expect([made.nodeOf('p'), made.nodeOf('q')]).toEqual(['n2', 'n2']);
    expect(
      claimOf(made, 'c')
        ?.status?.reservedFor?.map(({ name }) => name)
        .sort(),
    ).toEqual(['p', 'q']);
  });

  it('that nobody uses is given up where no node can use it', async () => {
    const allocation = {
      devices: { results: [{ request: 'r', driver: DRIVER, pool: 'x', device: 'd' }] },
      nodeSelector: inZone('c'),
    };
    const made = await lab({ slices: [slice('n1', ['d'])], claims: [{ ...claim('c'), status: { allocation } }] });
    await made.pod('p', {}, using('c'));
    await made.settle();
    const told = '2 resourceclaim not available on the node. deallocation of ResourceClaim completed';
    expect(made.events[0]?.message).toContain(told);
    expect([made.nodeOf('p'), devicesOf(made, 'c')]).toEqual(['n1', ['r=n1/d']]);
  });
});
