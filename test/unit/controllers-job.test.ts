import { describe, expect, it, vi } from 'vitest';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { garbageCollector } from '../../src/controllers/garbage-collector/index.ts';
import { jobController } from '../../src/controllers/job/index.ts';
import { Indexes } from '../../src/controllers/job/indexes.ts';
import { jobOrphanController } from '../../src/controllers/job/orphans.ts';
import type { Job, JobSpec } from '../../src/generated/types/batch.v1.ts';
import type { Event, Pod, PodStatus } from '../../src/generated/types/core.v1.ts';

const TRACKING = 'batch.kubernetes.io/job-tracking';
const INDEX = 'batch.kubernetes.io/job-completion-index';

const job = (spec: JobSpec = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'work', namespace: 'ns' },
  spec: {
    parallelism: 1,
    ...('parallelism' in spec ? {} : { completions: 1 }),
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: 'TerminatingOrFailed',
    selector: { matchLabels: { job: 'work' } },
    template: {
      metadata: { name: '', labels: { job: 'work' } },
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'app:1' }] },
    },
    ...spec,
  },
});

async function start(spec: JobSpec = {}): Promise<Simulation> {
  const simulation = new Simulation({
    kubelet: false,
    controllers: [jobController, jobOrphanController, garbageCollector],
  });
  await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
  for (const name of ['sim-1', 'sim-2']) await simulation.addNode(name);
  await simulation.settle();
  await simulation.cluster.create('batch/jobs', job(spec));
  await simulation.settle();
  return simulation;
}

const read = (simulation: Simulation): Job => simulation.cluster.peek<Job>('batch/jobs', 'ns', 'work') as Job;
const pods = (simulation: Simulation): Pod[] => simulation.cluster.all<Pod>('core/pods');
const running = (simulation: Simulation): Pod[] =>
  pods(simulation).filter(({ status, metadata }) => status?.phase === undefined && !metadata.deletionTimestamp);
const tracked = (simulation: Simulation): Pod[] =>
  pods(simulation).filter(({ metadata }) => metadata.finalizers?.includes(TRACKING));
const indexes = (list: Pod[]): string[] => list.map(({ metadata }) => metadata.annotations?.[INDEX] ?? '').sort();
const said = (simulation: Simulation): string[] =>
  (read(simulation).status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
const events = (simulation: Simulation): string[] =>
  simulation.cluster
    .all<Event>('core/events')
    .filter(({ source }) => source?.component === 'job-controller')
    .map(({ type, reason, message }) => `${type} ${reason} ${message?.replace(/-[^-]{5}$/, '')}`);

async function end(simulation: Simulation, pod: Pod | undefined, phase: string, status: PodStatus = {}) {
  const finishedAt = new Date(simulation.time).toISOString();
  const exitCode = phase === 'Succeeded' ? 0 : 1;
  const containerStatuses = [{ name: 'main', state: { terminated: { exitCode, finishedAt } } }];
  const patch = { status: { phase, containerStatuses, ...status } } as never;
  await simulation.cluster.patch('core/pods', 'ns', pod?.metadata.name ?? '', 'merge', patch, 'status');
}

async function endAll(simulation: Simulation, phase: string, status: PodStatus = {}): Promise<void> {
  for (const pod of running(simulation)) await end(simulation, pod, phase, status);
  await simulation.settle(0);
}

const exit = (exitCode: number): PodStatus => ({
  containerStatuses: [{ name: 'main', state: { terminated: { exitCode, finishedAt: '2026-01-01T00:00:10Z' } } }],
});

describe('sets of completion indexes', () => {
  it.each([
    ['', ''],
    ['0', '0'],
    ['0,1', '0,1'],
    ['0,1,2,4', '0-2,4'],
    ['3,1,2,9,8,20', '1-3,8,9'],
    ['x,-1,5-,2-1,4', '4'],
    ['7-99', '7-9'],
  ])('%j of ten is %j', (text, expected) => {
    expect(`${Indexes.parse(text, 10)}`).toBe(expected);
  });

  it('count, find, share and miss', () => {
    const set = Indexes.parse('1-3,5,7-9', 10);
    expect(set.total).toBe(7);
    expect([0, 1, 3, 4, 5, 6, 9, 10].filter((index) => set.has(index))).toEqual([1, 3, 5, 9]);
    expect(set.sharedWith(Indexes.parse('0-2,8', 10))).toBe(3);
    expect(set.firstMissing(2, 12)).toEqual([0, 4]);
    expect(set.firstMissing(9, 12)).toEqual([0, 4, 6, 10, 11]);
    expect(`${set.with([4, 6])}`).toBe('1-9');
    expect(Indexes.parse('0-2147483646', 2 ** 31 - 1).firstMissing(3, 2 ** 31 - 1)).toEqual([]);
  });
});

describe('a Job', () => {
  it('runs as many pods as its parallelism until its completions are reached', async () => {
    const simulation = await start({ parallelism: 2, completions: 3 });
    expect(running(simulation)).toHaveLength(2);
    expect(tracked(simulation)).toHaveLength(2);
    expect(read(simulation).status).toMatchObject({ active: 2, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
    await endAll(simulation, 'Succeeded');
    expect(read(simulation).status).toMatchObject({ active: 1, succeeded: 2 });
    await endAll(simulation, 'Succeeded');
    expect(tracked(simulation)).toEqual([]);
    expect(read(simulation).status).toMatchObject({ succeeded: 3, completionTime: expect.any(String) });
    expect(read(simulation).status).not.toHaveProperty('active');
    expect(said(simulation)).toEqual([
      'SuccessCriteriaMet=True CompletionsReached',
      'Complete=True CompletionsReached',
    ]);
    expect(events(simulation)).toContain('Normal Completed Job completed');
  });

  it('without completions ends with its first success, once the others ended', async () => {
    const simulation = await start({ parallelism: 2 });
    const [first, second] = running(simulation);
    await end(simulation, first, 'Succeeded');
    await simulation.settle(0);
    expect(running(simulation)).toHaveLength(1);
    expect(said(simulation)).toEqual([]);
    await end(simulation, second, 'Failed');
    await simulation.settle(0);
    expect(said(simulation)).toContain('Complete=True CompletionsReached');
    expect(read(simulation).status).toMatchObject({ succeeded: 1, failed: 1 });
  });

  it('waits 10 s, 20 s, … after failures, then gives up', async () => {
    const simulation = await start({ backoffLimit: 2, completions: 1 });
    await endAll(simulation, 'Failed');
    for (const seconds of [10, 20]) {
      expect(read(simulation).status?.active ?? 0).toBe(0);
      await simulation.settle((seconds - 1) * 1000);
      expect(running(simulation)).toHaveLength(0);
      await simulation.settle(1000);
      expect(running(simulation)).toHaveLength(1);
      await endAll(simulation, 'Failed');
    }
    expect(said(simulation)).toEqual(['FailureTarget=True BackoffLimitExceeded', 'Failed=True BackoffLimitExceeded']);
    expect(read(simulation).status).toMatchObject({ failed: 3, terminating: 0 });
    expect(read(simulation).status).not.toHaveProperty('completionTime');
    expect(events(simulation)).toContain('Warning BackoffLimitExceeded Job has reached the specified backoff limit');
  });

  it('counts restarts of containers toward the limit', async () => {
    const simulation = await start({ backoffLimit: 2, completions: 1, template: { ...restarting } });
    const status = { containerStatuses: [{ name: 'main', restartCount: 2 }] };
    await end(simulation, running(simulation)[0], 'Running', status);
    await simulation.settle(0);
    expect(said(simulation)).toContain('Failed=True BackoffLimitExceeded');
    expect(pods(simulation)).toEqual([]);
    expect(read(simulation).status).toMatchObject({ failed: 1 });
  });

  const restarting = {
    metadata: { name: '', labels: { job: 'work' } },
    spec: { restartPolicy: 'OnFailure', containers: [{ name: 'main' }] },
  };

  it('fails at its deadline, to the second', async () => {
    const simulation = await start({ activeDeadlineSeconds: 30, completions: 1 });
    await simulation.settle(27_000);
    expect(said(simulation)).toEqual([]);
    await simulation.settle(1_000);
    expect(said(simulation)).toEqual(['FailureTarget=True DeadlineExceeded', 'Failed=True DeadlineExceeded']);
    expect(events(simulation)).toEqual([
      'Normal SuccessfulCreate Created pod: work',
      'Normal SuccessfulDelete Deleted pod: work',
      'Warning DeadlineExceeded Job was active longer than specified deadline',
    ]);
    expect(pods(simulation)).toEqual([]);
  });

  it('is suspended and resumed; its deadline counts from there', async () => {
    const simulation = await start({ activeDeadlineSeconds: 30, completions: 2, parallelism: 2 });
    await simulation.settle(20_000);
    const suspend = (on: boolean) =>
      simulation.cluster.patch('batch/jobs', 'ns', 'work', 'merge', { spec: { suspend: on } });
    await suspend(true);
    await simulation.settle();
    expect(pods(simulation)).toEqual([]);
    expect(said(simulation)).toEqual(['Suspended=True JobSuspended']);
    expect(read(simulation).status).not.toHaveProperty('startTime');
    expect(read(simulation).status).not.toHaveProperty('failed');
    await simulation.settle(60_000);
    await suspend(false);
    await simulation.settle(20_000);
    expect(running(simulation)).toHaveLength(2);
    expect(said(simulation)).toEqual(['Suspended=False JobResumed']);
    await simulation.settle(10_000);
    expect(said(simulation)).toContain('Failed=True DeadlineExceeded');
  });

  it('starts fewer pods, or more, when its parallelism changes', async () => {
    const simulation = await start({ parallelism: 4, completions: 8 });
    const parallelism = (count: number) =>
      simulation.cluster.patch('batch/jobs', 'ns', 'work', 'merge', { spec: { parallelism: count } });
    await parallelism(1);
    await simulation.settle();
    expect(running(simulation)).toHaveLength(1);
    expect(read(simulation).status).toMatchObject({ active: 1, uncountedTerminatedPods: {} });
    expect(read(simulation).status).not.toHaveProperty('failed');
    await parallelism(0);
    await simulation.settle();
    expect(pods(simulation)).toEqual([]);
    await parallelism(3);
    await simulation.settle();
    expect(running(simulation)).toHaveLength(3);
  });

  it('leaves Jobs alone that another controller manages', async () => {
    const simulation = await start({ managedBy: 'example.com/other', completions: 1 });
    expect(pods(simulation)).toEqual([]);
    expect(read(simulation).status).toBeUndefined();
  });

  it('replaces a pod that is being deleted at once, or only when it has ended', async () => {
    for (const [podReplacementPolicy, expected] of [
      ['TerminatingOrFailed', 2],
      ['Failed', 1],
    ] as const) {
      const simulation = await start({ podReplacementPolicy, completions: 1 });
      const [pod] = running(simulation);
      const name = pod?.metadata.name ?? '';
      await simulation.cluster.update<Pod>('core/pods', { ...pod, spec: { nodeName: 'sim-1' } } as Pod);
      await simulation.cluster.delete('core/pods', 'ns', name);
      await simulation.settle(15_000);
      expect(pods(simulation)).toHaveLength(expected);
      expect(read(simulation).status).toMatchObject({ terminating: 1 });
      await end(simulation, pod, 'Failed');
      await simulation.cluster.delete('core/pods', 'ns', name, { gracePeriodSeconds: 0 });
      await simulation.settle(15_000);
      expect(running(simulation)).toHaveLength(1);
      expect(read(simulation).status).toMatchObject({ failed: 1, active: 1, terminating: 0 });
    }
  });

  it('adopts pods that nobody owns, and lets go of pods when it is deleted', async () => {
    const simulation = await start({ parallelism: 2, completions: 2, suspend: true });
    const lone: Pod = {
      metadata: { name: 'lone', namespace: 'ns', labels: { job: 'work' } },
      spec: { containers: [] },
    };
    await simulation.cluster.create('core/pods', lone);
    await simulation.cluster.patch('batch/jobs', 'ns', 'work', 'merge', { spec: { suspend: false } });
    await simulation.settle();
    expect(tracked(simulation)).toHaveLength(2);
    await simulation.cluster.delete('batch/jobs', 'ns', 'work', { propagationPolicy: 'Background' });
    await simulation.settle();
    expect(pods(simulation)).toEqual([]);
  });
});

describe('an Indexed Job', () => {
  const indexed = (spec: JobSpec): JobSpec => ({ completionMode: 'Indexed', ...spec });

  it('gives each pod an index, a host name and a variable', async () => {
    const simulation = await start(indexed({ parallelism: 2, completions: 3 }));
    expect(indexes(running(simulation))).toEqual(['0', '1']);
    const pod = running(simulation).find(({ metadata }) => metadata.annotations?.[INDEX] === '1');
    expect(pod?.metadata.name).toMatch(/^work-1-.{5}$/);
    expect(pod?.metadata.labels).toEqual({ [INDEX]: '1', job: 'work' });
    expect(pod?.spec).toMatchObject({
      hostname: 'work-1',
      containers: [
        {
          env: [
            { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX}']` } } },
          ],
        },
      ],
    });
    await end(simulation, pod, 'Succeeded');
    await simulation.settle(0);
    expect(indexes(running(simulation))).toEqual(['0', '2']);
    expect(read(simulation).status).toMatchObject({ completedIndexes: '1', succeeded: 1 });
    await endAll(simulation, 'Succeeded');
    expect(read(simulation).status).toMatchObject({ completedIndexes: '0-2', succeeded: 3 });
    expect(said(simulation)).toContain('Complete=True CompletionsReached');
  });

  it('grows and shrinks', async () => {
    const simulation = await start(indexed({ parallelism: 3, completions: 3 }));
    const size = (count: number) =>
      simulation.cluster.patch('batch/jobs', 'ns', 'work', 'merge', {
        spec: { parallelism: count, completions: count },
      });
    const last = running(simulation).find(({ metadata }) => metadata.annotations?.[INDEX] === '2');
    await end(simulation, last, 'Succeeded');
    await simulation.settle(0);
    expect(read(simulation).status).toMatchObject({ completedIndexes: '2' });
    await size(2);
    await simulation.settle();
    expect(read(simulation).status).not.toHaveProperty('completedIndexes');
    expect(indexes(running(simulation))).toEqual(['0', '1']);
    await size(4);
    await simulation.settle();
    expect(indexes(running(simulation))).toEqual(['0', '1', '2', '3']);
  });

  it('counts failures by index, each with its own wait', async () => {
    const spec = { parallelism: 3, completions: 3, backoffLimitPerIndex: 1, backoffLimit: 2147483647 };
    const simulation = await start(indexed(spec));
    const byIndex = (index: string) =>
      running(simulation).find(({ metadata }) => metadata.annotations?.[INDEX] === index);
    await end(simulation, byIndex('0'), 'Failed');
    await end(simulation, byIndex('1'), 'Succeeded');
    await simulation.settle(9_000);
    expect(indexes(running(simulation))).toEqual(['2']);
    expect(tracked(simulation)).toHaveLength(2);
    await simulation.settle(1_000);
    expect(indexes(running(simulation))).toEqual(['0', '2']);
    expect(byIndex('0')?.metadata.annotations).toMatchObject({ 'batch.kubernetes.io/job-index-failure-count': '1' });
    expect(tracked(simulation)).toHaveLength(2);
    await end(simulation, byIndex('0'), 'Failed');
    await simulation.settle(60_000);
    expect(read(simulation).status).toMatchObject({ failedIndexes: '0', completedIndexes: '1', failed: 2 });
    expect(indexes(running(simulation))).toEqual(['2']);
    await end(simulation, byIndex('2'), 'Succeeded');
    await simulation.settle(0);
    expect(said(simulation)).toEqual(['FailureTarget=True FailedIndexes', 'Failed=True FailedIndexes']);
  });

  it('fails when too many indexes have', async () => {
    const spec = { parallelism: 3, completions: 3, backoffLimitPerIndex: 0, maxFailedIndexes: 1, backoffLimit: 99 };
    const simulation = await start(indexed(spec));
    const [first, second] = running(simulation);
    await end(simulation, first, 'Failed');
    await end(simulation, second, 'Failed');
    await simulation.settle(0);
    expect(said(simulation)).toContain('Failed=True MaxFailedIndexesExceeded');
    expect(running(simulation)).toEqual([]);
    expect(read(simulation).status).toMatchObject({ failedIndexes: '0,1', failed: 3 });
  });

  it.each([
    [{ succeededIndexes: '0,2' }, ['2', '0'], 'Matched rules at index 0'],
    [{ succeededCount: 1 }, ['1'], 'Matched rules at index 0'],
    [{ succeededIndexes: '0-2', succeededCount: 2 }, ['1', '2'], 'Matched rules at index 0'],
  ])('succeeds early by its policy %j', async (rule, order, message) => {
    const policy = { successPolicy: { rules: [rule] } };
    const simulation = await start(indexed({ parallelism: 4, completions: 4, ...policy }));
    for (const [i, index] of order.entries()) {
      expect(said(simulation)).toEqual([]);
      const pod = running(simulation).find(({ metadata }) => metadata.annotations?.[INDEX] === index);
      await end(simulation, pod, 'Succeeded');
      await simulation.settle(0);
      if (i < order.length - 1) expect(running(simulation)).toHaveLength(4 - i - 1);
    }
    expect(said(simulation)).toEqual(['SuccessCriteriaMet=True SuccessPolicy', 'Complete=True SuccessPolicy']);
    expect(read(simulation).status?.conditions?.[0]?.message).toBe(message);
    expect(running(simulation)).toEqual([]);
    expect(read(simulation).status).not.toHaveProperty('failed');
  });
});

describe('a pod failure policy', () => {
  const rules = [
    { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    { action: 'FailIndex', onExitCodes: { containerName: 'main', operator: 'NotIn', values: [1, 42] } },
  ];
  const disrupted: PodStatus = { conditions: [{ type: 'DisruptionTarget', status: 'True' }] };

  it.each([
    ['fails the Job', exit(42), ['FailureTarget=True PodFailurePolicy', 'Failed=True PodFailurePolicy'], 1],
    ['ignores', disrupted, [], 0],
    ['fails the index', exit(3), ['FailureTarget=True FailedIndexes', 'Failed=True FailedIndexes'], 1],
    ['counts', exit(1), [], 1],
  ])('%s', async (_, status, conditions, failed) => {
    const perIndex = { completionMode: 'Indexed', backoffLimitPerIndex: 3, backoffLimit: 99 };
    const simulation = await start({ ...perIndex, completions: 1, podFailurePolicy: { rules } });
    const [pod] = running(simulation);
    await endAll(simulation, 'Failed', status);
    expect(said(simulation)).toEqual(conditions);
    await simulation.settle(60_000);
    expect(read(simulation).status?.failed ?? 0).toBe(failed);
    if (conditions[0]?.endsWith('PodFailurePolicy')) {
      const message = `Container main for pod ns/${pod?.metadata.name} failed with exit code 42 matching FailJob rule at index 0`;
      expect(read(simulation).status?.conditions?.[1]?.message).toBe(message);
    }
    expect(running(simulation)).toHaveLength(conditions.length === 0 ? 1 : 0);
  });
});

describe('a Job that has finished', () => {
  it.each([
    [0, 0],
    [60, 60_000],
    [undefined, undefined],
  ])('goes with its pods after %s seconds', async (ttl, ms) => {
    const simulation = new Simulation({ kubelet: false });
    await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
    const { spec } = job({ ...(ttl !== undefined && { ttlSecondsAfterFinished: ttl }), completions: 1 });
    await simulation.cluster.create('batch/jobs', { ...job(), spec });
    await simulation.settle(0);
    await endAll(simulation, 'Succeeded');
    if (ms !== 0) {
      await simulation.settle((ms ?? 3_600_000) - 1000);
      expect(pods(simulation)).toHaveLength(1);
      await simulation.settle(1000);
    }
    expect(simulation.cluster.all('batch/jobs')).toHaveLength(ms === undefined ? 1 : 0);
    expect(pods(simulation)).toHaveLength(ms === undefined ? 1 : 0);
  });

  it('stays until its time has come even when the time is changed', async () => {
    const simulation = new Simulation({ kubelet: false });
    await simulation.cluster.create('batch/jobs', job({ ttlSecondsAfterFinished: 60, completions: 1 }));
    await simulation.settle(0);
    await endAll(simulation, 'Succeeded');
    await simulation.settle(30_000);
    await simulation.cluster.patch('batch/jobs', 'ns', 'work', 'merge', { spec: { ttlSecondsAfterFinished: 90 } });
    await simulation.settle(59_000);
    expect(read(simulation)).toBeDefined();
    await simulation.settle(1_000);
    expect(read(simulation)).toBeUndefined();
  });
});

describe('evicted after every write', () => {
  const writes = ['create', 'update', 'patch', 'delete'] as const;

  /** A simulation whose n-th write after `arm` is the last before everything in memory is lost. */
  async function interrupted(spec: JobSpec, story: (simulation: Simulation) => Promise<void>, at: number) {
    const simulation = await start(spec);
    const { cluster } = simulation;
    let count = 0;
    let dead = false;
    const inner = { create: cluster.create, update: cluster.update, patch: cluster.patch, delete: cluster.delete };
    for (const method of writes) {
      cluster[method] = (async (...args: [string, ...unknown[]]) => {
        const counts = !args[0].endsWith('events');
        if (counts && dead) throw new Error('evicted');
        const answer = await (inner[method] as (...args: unknown[]) => Promise<unknown>).apply(cluster, args);
        if (counts && ++count === at) dead = true;
        return answer;
      }) as never;
    }
    const revive = async (horizon = 0): Promise<void> => {
      await simulation.settle(horizon);
      if (dead) simulation.restart();
      dead = false;
      await simulation.manager.tick();
      await simulation.settle(horizon);
    };
    await story(Object.assign(simulation, { revive }) as Simulation);
    Object.assign(cluster, inner);
    await simulation.settle(700_000);
    return { simulation, reached: count >= at };
  }

  it('counts no pod twice and leaks none', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    let cases = 0;
    for (let at = 1; ; at++) {
      const { simulation, reached } = await interrupted(
        { parallelism: 3, completions: 4, backoffLimit: 6 },
        async (plane) => {
          const { revive } = plane as Simulation & { revive(horizon?: number): Promise<void> };
          for (let round = 0; round < 8; round++) {
            for (const [i, pod] of running(plane).entries()) {
              await plane.cluster
                .patch('core/pods', 'ns', pod.metadata.name, 'merge', endOf(plane, round === 0 && i === 0), 'status')
                .catch(() => {});
            }
            await revive(30_000);
          }
        },
        at,
      );
      const { status } = read(simulation);
      const phases = pods(simulation).map((pod) => pod.status?.phase);
      const count = (phase: string): number => phases.filter((other) => other === phase).length;
      expect({ at, succeeded: status?.succeeded, failed: status?.failed }).toEqual({
        at,
        succeeded: count('Succeeded'),
        failed: count('Failed'),
      });
      expect(status?.succeeded).toBe(4);
      expect(status?.uncountedTerminatedPods).toEqual({});
      expect(said(simulation)).toContain('Complete=True CompletionsReached');
      expect(tracked(simulation)).toEqual([]);
      cases++;
      if (!reached) break;
    }
    expect(cases).toBeGreaterThan(15);
  });

  const endOf = (simulation: Simulation, fails: boolean) => ({
    status: {
      phase: fails ? 'Failed' : 'Succeeded',
      containerStatuses: [
        {
          name: 'main',
          state: { terminated: { exitCode: fails ? 1 : 0, finishedAt: new Date(simulation.time).toISOString() } },
        },
      ],
    },
  });
});
