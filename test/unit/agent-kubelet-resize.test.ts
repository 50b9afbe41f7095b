/** Resizes in place: what is granted, in which order it is done, what is told of it, and that it survives the agent. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { computeActions, type Health } from '../../agent/kubelet/actions.ts';
import { admitResize, type Refusal } from '../../agent/kubelet/admission.ts';
import { resourcesOf, sameResources } from '../../agent/kubelet/allocation.ts';
import type { PodRuntime, RuntimeContainer } from '../../agent/kubelet/pod-runtime.ts';
import { PodResizer } from '../../agent/kubelet/resize.ts';
import { actuate, needRestart, type ResizeMachine } from '../../agent/kubelet/resize-actuation.ts';
import { podStatus } from '../../agent/kubelet/status.ts';
import { covers, statusPatch } from '../../agent/kubelet/status-manager.ts';
import type { ContainerStats } from '../../agent/runtime/cri-types.ts';
import type { Container, Pod, PodStatus } from '../../src/generated/types/core.v1.ts';

const MI = 1024 * 1024;

/** `cpu/memory`, of requests and perhaps of limits; `-` is none. */
function container(name: string, requests: string, limits = '-/-', more: object = {}): Container {
  const amounts = (text: string): Record<string, string> => {
    const [cpu = '-', memory = '-'] = text.split('/');
    return { ...(cpu === '-' ? {} : { cpu }), ...(memory === '-' ? {} : { memory }) };
  };
  return { name, resources: { requests: amounts(requests), limits: amounts(limits) }, ...more };
}
const same = (name: string, text: string): Container => container(name, text, text);

const podOf = (containers: Container[], generation = 1, more: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'u', generation },
  spec: { containers, ...more },
});

function runtimeOf(...names: string[]): PodRuntime {
  const one = (name: string): RuntimeContainer[] => [
    { id: name, podSandboxId: 's', state: 'CONTAINER_RUNNING', annotations: {} } as unknown as RuntimeContainer,
  ];
  const sandbox = { id: 's', state: 'SANDBOX_READY', network: { ip: '10.0.0.1' } } as PodRuntime['sandboxes'][0];
  return { sandboxes: [sandbox], containers: new Map(names.map((name) => [name, one(name)])) };
}

let calls: string[] = [];
let usage: Record<string, number> = {};
const machine: ResizeMachine = {
  cri: {
    async updateContainerResources(id, { cpuShares, cpuQuota, memoryLimitInBytes }) {
      if (id === 'broken') throw new Error('no such process');
      calls.push(`${id} ${cpuShares} ${cpuQuota ?? '-'} ${Number(memoryLimitInBytes ?? 0) / MI}Mi`);
    },
    async listContainerStats() {
      return Object.entries(usage).map(
        ([id, value]) => ({ attributes: { id }, memory: { usageBytes: { value: String(value) } } }) as ContainerStats,
      );
    },
  },
  setPodCgroup: (_, resource) => void calls.push(`pod ${resource}`),
  podMemoryUsage: () => usage['pod'] ?? 0,
  memoryCapacity: 1024 * MI,
};

beforeEach(() => {
  calls = [];
  usage = {};
});

describe('admission of a resize', () => {
  const node = { cpu: 2, memory: 100 * MI, pods: 10 };
  const other = { ...podOf([same('o', '1500m/60Mi')]), metadata: { name: 'o', uid: 'o' } };
  it.each<[string, string, Refusal | undefined]>([
    ['what fits', '500m/40Mi', undefined],
    [
      'what fits later',
      '501m/1Mi',
      {
        reason: 'OutOfcpu',
        message: "Node didn't have enough resource: cpu, requested: 501, used: 1500, capacity: 2000",
      },
    ],
    [
      'what never fits',
      '1m/101Mi',
      {
        reason: 'Infeasible',
        message: "Node didn't have enough capacity: memory, requested: 105906176, capacity: 104857600",
      },
    ],
  ])('%s', (_, asked, refusal) => {
    // The pod's own old version is among the others.
    const others = [other, podOf([same('c', '400m/30Mi')])];
    expect(admitResize(podOf([same('c', asked)]), others, node, undefined)).toEqual(refusal);
  });
});

describe('equal resources', () => {
  it.each([
    [{ cpu: '1' }, { cpu: '1000m' }, true],
    [{ memory: '1Gi' }, { memory: '1024Mi' }, true],
    [{ cpu: '1' }, { cpu: '1001m' }, false],
    [{ cpu: '1' }, { memory: '1' }, false],
    [{}, undefined, true],
  ])('%o, %o: %s', (a, b, equal) => {
    expect(sameResources({ limits: a }, b === undefined ? undefined : { limits: b })).toBe(equal);
  });
});

describe('the order of what is set', () => {
  beforeEach(() => {
    usage = { pod: MI, a: MI };
  });
  const run = async (from: Container[], to: Container[], killed: string[] = []): Promise<string[]> => {
    const pod = podOf(to);
    const runtime = runtimeOf(...to.map(({ name = '' }) => name));
    for await (const _ of actuate(machine, pod, runtime, resourcesOf(podOf(from)), new Set(killed)));
    return calls;
  };
  it.each<[string, Container[], Container[], string[]]>([
    [
      'more: the pod first',
      [same('a', '20m/35Mi')],
      [same('a', '25m/40Mi')],
      ['pod memory', 'a 20 2000 40Mi', 'pod cpu', 'a 25 2500 40Mi'],
    ],
    [
      'less: the pod last',
      [same('a', '25m/40Mi')],
      [same('a', '20m/35Mi')],
      ['a 25 2500 35Mi', 'pod memory', 'a 20 2000 35Mi', 'pod cpu'],
    ],
    [
      'more together: what shrinks before what grows',
      [same('a', '20m/35Mi'), same('b', '20m/35Mi')],
      [same('a', '40m/35Mi'), same('b', '15m/35Mi')],
      ['pod cpu', 'b 15 1500 35Mi', 'a 40 4000 35Mi'],
    ],
    [
      'less together',
      [same('a', '20m/35Mi'), same('b', '20m/35Mi')],
      [same('a', '22m/35Mi'), same('b', '10m/35Mi')],
      ['b 10 1000 35Mi', 'a 22 2200 35Mi', 'pod cpu'],
    ],
    [
      'requests alone',
      [container('a', '20m/35Mi', '30m/45Mi')],
      [container('a', '25m/40Mi', '30m/45Mi')],
      ['a 20 3000 45Mi', 'pod memory', 'a 25 3000 45Mi', 'pod cpu'],
    ],
    [
      'a first limit: of one container, none of the pod',
      [container('a', '20m/-'), container('b', '20m/-')],
      [container('a', '20m/-', '35m/-'), container('b', '20m/-')],
      ['a 20 3500 0Mi'],
    ],
    [
      'one that is started again, and one that is not',
      [same('a', '20m/35Mi'), same('killed', '20m/35Mi')],
      [same('a', '25m/35Mi'), same('killed', '25m/35Mi')],
      ['pod cpu', 'a 25 2500 35Mi'],
    ],
    ['nothing', [same('a', '1/1Gi')], [same('a', '1000m/1024Mi')], []],
  ])('%s', async (_, from, to, expected) => expect(await run(from, to, ['killed'])).toEqual(expected));

  it('sidecars count with the others', async () => {
    const car = (text: string): Container => ({ ...same('car', text), restartPolicy: 'Always' });
    const at = (text: string): Pod => podOf([same('a', '20m/35Mi')], 1, { initContainers: [car(text)] });
    const from = resourcesOf(at('20m/35Mi'));
    for await (const _ of actuate(machine, at('30m/35Mi'), runtimeOf('a', 'car'), from, new Set()));
    expect(calls).toEqual(['pod cpu', 'car 30 3000 35Mi']);
  });

  it.each<[string, Record<string, number>, string]>([
    [
      'a container',
      { pod: 1, a: 30 * MI },
      `cannot decrease memory limits: attempting to set container "a" memory limit (${20 * MI}) below current usage (${30 * MI})`,
    ],
    [
      'both',
      { pod: 31 * MI, a: 20 * MI },
      `cannot decrease memory limits: [attempting to set pod memory limit (${20 * MI}) below current usage (${31 * MI}), attempting to set container "a" memory limit (${20 * MI}) below current usage (${20 * MI})]`,
    ],
    ['nobody knows', { pod: 1 }, 'cannot decrease memory limits: missing container "a" memory usage'],
  ])('memory in use is not taken away: %s', async (_, used, message) => {
    usage = used;
    await expect(run([same('a', '20m/35Mi')], [same('a', '20m/20Mi')])).rejects.toThrow(message);
    expect(calls).toEqual([]);
  });
});

describe('restarts', () => {
  const policy = (cpu: string, memory: string): object => ({
    resizePolicy: [
      { resourceName: 'cpu', restartPolicy: cpu },
      { resourceName: 'memory', restartPolicy: memory },
    ],
  });
  const [NO, YES] = ['NotRequired', 'RestartContainer'];
  it.each<[string, object, string, boolean]>([
    ['no policy', {}, '25m/40Mi', false],
    ['no need', policy(NO, NO), '25m/40Mi', false],
    ['cpu needs it', policy(YES, NO), '25m/35Mi', true],
    ['cpu would need it', policy(YES, NO), '20m/40Mi', false],
    ['memory needs it', policy(NO, YES), '20m/40Mi', true],
    ['nothing differs', policy(YES, YES), '0.02/35Mi', false],
  ])('%s', (_, more, to, expected) => {
    const pod = podOf([container('a', to, to, more)]);
    const from = resourcesOf(podOf([same('a', '20m/35Mi')]));
    expect(needRestart(pod, runtimeOf('a'), from).has('a')).toBe(expected);
    // What does not run needs no end.
    expect(needRestart(pod, runtimeOf(), from).size).toBe(0);
  });

  it('are one step, for sidecars too', () => {
    const healthy: Health = { liveness: () => true, startup: () => true };
    const car = { ...same('car', '1/1Gi'), restartPolicy: 'Always' };
    const pod = podOf([same('a', '1/1Gi')], 1, { initContainers: [car], restartPolicy: 'OnFailure' });
    const actions = computeActions(pod, runtimeOf('a', 'car'), healthy, new Set(['a', 'car']));
    expect(actions.kill.map(({ message }) => message)).toEqual([
      'Container car resize requires restart',
      'Container a resize requires restart',
    ]);
    expect(actions.start.map(({ name }) => name)).toEqual(['car', 'a']);
    expect(actions.finish).toBe(false);
  });
});

describe('a resize', () => {
  let folder = '';
  let events: string[] = [];
  let freed = 0;
  let refusal: Refusal | undefined;
  const start = (): PodResizer =>
    new PodResizer(
      {
        events: { record: (_, type, reason, message) => void events.push(`${type} ${reason} ${message}`) },
        machine,
        refuse: () => refusal,
        onFreed: () => freed++,
      },
      folder,
    );
  const small = podOf([same('a', '20m/35Mi')], 1);
  const large = podOf([same('a', '25m/35Mi')], 2);
  const cpu = (pod: Pod): string | undefined => pod.spec?.containers?.[0]?.resources?.requests?.['cpu'];
  const told = (resizer: PodResizer): object[] =>
    resizer.conditions.map(({ type, reason, observedGeneration }) => ({ type, reason, observedGeneration }));
  const amounts = (value: string): string => `{"cpu":"${value}","memory":"35Mi"}`;
  const summary = (value: string, more = ''): string =>
    `{"containers":[{"name":"a","resources":{"limits":${amounts(value)},"requests":${amounts(value)}}}],"generation":2${more}}`;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zp-resize-'));
    events = [];
    freed = 0;
    refusal = undefined;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is granted, done and told of', async () => {
    const resizer = start();
    resizer.admit(small);
    expect(cpu(resizer.judge(large))).toBe('25m');
    expect(told(resizer)).toEqual([{ type: 'PodResizeInProgress', reason: undefined, observedGeneration: 2 }]);
    resizer.settle(large);
    expect([
      resizer.isUntold(large),
      resizer.isUntold({ ...large, status: { conditions: resizer.conditions } }),
    ]).toEqual([true, false]);
    expect(resizer.actuated('a')?.requests).toEqual({ cpu: '20m', memory: '35Mi' });
    expect(await resizer.actuate(large, runtimeOf('a'), new Set())).toBe(true);
    resizer.settle(large);
    expect(resizer.actuated('a')?.requests).toEqual({ cpu: '25m', memory: '35Mi' });
    expect([told(resizer), freed]).toEqual([[], 1]);
    expect(events).toEqual([
      `Normal ResizeStarted Pod resize started: ${summary('25m')}`,
      `Normal ResizeCompleted Pod resize completed: ${summary('25m')}`,
    ]);
  });

  it.each([
    ['OutOfcpu', 'Deferred', true],
    ['Infeasible', 'Infeasible', false],
  ])('that does not fit: %s', (reason, expected, deferred) => {
    const resizer = start();
    resizer.admit(small);
    refusal = { reason, message: 'no room' };
    expect(cpu(resizer.judge(large))).toBe('20m');
    expect(cpu(resizer.given(large))).toBe('20m');
    expect(told(resizer)).toEqual([{ type: 'PodResizePending', reason: expected, observedGeneration: 2 }]);
    const [before] = resizer.conditions;
    resizer.judge(large);
    expect(resizer.conditions).toEqual([before]);
    expect(events).toEqual([
      `Warning Resize${expected} Pod resize ${expected}: ${summary('25m', ',"error":"no room"')}`,
    ]);
    expect(resizer.deferred).toBe(deferred);
    refusal = undefined;
    expect(cpu(resizer.judge(large))).toBe('25m');
    expect(told(resizer)).toMatchObject([{ type: 'PodResizeInProgress' }]);
  });

  it('is taken back', () => {
    const resizer = start();
    resizer.admit(small);
    refusal = { reason: 'OutOfcpu', message: 'no room' };
    resizer.judge(large);
    expect(cpu(resizer.judge(podOf([same('a', '0.02/35Mi')], 3)))).toBe('0.02');
    expect(told(resizer)).toEqual([]);
  });

  it('that fails says why once, and goes on', async () => {
    const resizer = start();
    resizer.admit(podOf([same('broken', '20m/35Mi')]));
    const pod = resizer.judge(podOf([same('broken', '25m/35Mi')], 2));
    for (const _ of [1, 2]) expect(await resizer.actuate(pod, runtimeOf('broken'), new Set())).toBe(false);
    resizer.settle(pod);
    expect(resizer.conditions).toMatchObject([
      { type: 'PodResizeInProgress', reason: 'Error', message: 'no such process', observedGeneration: 2 },
    ]);
    expect(events.map((event) => event.split(' ')[1])).toEqual(['ResizeStarted', 'ResizeError']);
    expect(await resizer.actuate(pod, runtimeOf(), new Set())).toBe(true);
    resizer.settle(pod);
    expect(told(resizer)).toEqual([]);
  });

  it('survives the agent', async () => {
    start().admit(small);
    const second = start();
    second.judge(large);
    const third = start();
    const shown: PodStatus = { conditions: second.conditions };
    expect(cpu(third.judge({ ...large, status: shown }))).toBe('25m');
    expect(third.actuated('a')?.requests?.['cpu']).toBe('20m');
    expect(third.conditions).toEqual(second.conditions);
    await third.actuate(large, runtimeOf('a'), new Set());
    expect(calls).toEqual(['pod cpu', 'a 25 2500 35Mi']);
    expect(readdirSync(folder)).toEqual(['resources.json']);
  });

  it('counts with what it was given, also before it is looked at again', () => {
    start().admit(small);
    expect(cpu(start().given(large))).toBe('20m');
  });

  it.each(['', '{', '{"allocated":1,"actuated":2}', 'null'])('finds its way from a file like %o', (text) => {
    writeFileSync(join(folder, 'resources.json'), text);
    const had = small.spec?.containers?.[0]?.resources;
    const status = { containerStatuses: [{ name: 'a', resources: had }] } as PodStatus;
    const resizer = start();
    resizer.judge({ ...large, status });
    expect(resizer.actuated('a')).toEqual(had);
    expect(told(resizer)).toMatchObject([{ type: 'PodResizeInProgress' }]);
  });

  it('shows in the status what containers have, not what they shall have', () => {
    const resizer = start();
    resizer.admit(small);
    const pod = resizer.judge(large);
    const base = { nodeIp: '1.2.3.4', waiting: new Map(), messages: new Map(), ready: () => true, started: () => true };
    const runtime = runtimeOf('a');
    const [latest] = runtime.containers.get('a') ?? [];
    Object.assign(latest ?? {}, { startedAt: '1', finishedAt: '0', image: { image: 'i' }, metadata: { attempt: 0 } });
    const input = { ...base, pod, runtime, terminal: false, resources: (name: string) => resizer.actuated(name) };
    const want = podStatus({ ...input, resize: resizer.conditions });
    expect(want.containerStatuses).toMatchObject([
      { allocatedResources: { cpu: '25m' }, resources: { requests: { cpu: '20m' }, limits: { cpu: '20m' } } },
    ]);
    const after = podStatus({ ...input, pod: { ...pod, status: want } });
    expect(covers(want, after)).toBe(false);
    expect(statusPatch({ ...pod, status: want }, after)['status']).toMatchObject({
      conditions: expect.arrayContaining([{ $patch: 'delete', type: 'PodResizeInProgress' }]),
    });
  });
});
