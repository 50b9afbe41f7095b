import { describe, expect, it, vi } from 'vitest';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { cronJobController } from '../../src/controllers/cronjob/index.ts';
import { schedule } from '../../src/controllers/cronjob/schedule.ts';
import { formatIn } from '../../src/controllers/cronjob/time-zone.ts';
import { garbageCollector } from '../../src/controllers/garbage-collector/index.ts';
import type { CronJob, CronJobSpec, Job } from '../../src/generated/types/batch.v1.ts';
import type { Event } from '../../src/generated/types/core.v1.ts';
import { cronJob as resource } from '../../src/resources/batch/cronjob.ts';

const at = (text: string): number => Date.parse(text);

describe('schedules', () => {
  it.each([
    ['* * * * *', 'UTC', '2026-01-01T00:00:00Z', ['00:01:00Z', '00:02:00Z']],
    ['*/20 5 * * *', 'UTC', '2026-01-01T00:00:00Z', ['05:00:00Z', '05:20:00Z', '05:40:00Z', '2026-01-02T05:00:00Z']],
    ['7/20 5 * * *', 'UTC', '2026-01-01T00:00:00Z', ['05:07:00Z', '05:27:00Z', '05:47:00Z']],
    ['0 0 1 JAN ?', 'UTC', '2026-01-01T00:00:00Z', ['2027-01-01T00:00:00Z']],
    ['0 12 * * mon-WED', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-05T12:00:00Z', '2026-01-06T12:00:00Z']],
    // Either day is enough where both are said, both count where one is a star.
    [
      '0 0 13 * 5',
      'UTC',
      '2026-01-08T00:00:00Z',
      ['2026-01-09T00:00:00Z', '2026-01-13T00:00:00Z', '2026-01-16T00:00:00Z'],
    ],
    ['0 0 13 * */1', 'UTC', '2026-01-08T00:00:00Z', ['2026-01-13T00:00:00Z', '2026-02-13T00:00:00Z']],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', ['2028-02-29T00:00:00Z']],
    ['@hourly', 'UTC', '2026-01-01T00:00:30Z', ['01:00:00Z', '02:00:00Z']],
    ['@weekly', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-04T00:00:00Z']],
    ['@annually', 'UTC', '2026-01-01T00:00:00Z', ['2027-01-01T00:00:00Z']],
    ['@every 1h30m', 'UTC', '2026-01-01T00:10:20.5Z', ['01:40:20Z', '03:10:20Z']],
    ['0 9 * * *', 'Europe/Zurich', '2026-01-01T00:00:00Z', ['08:00:00Z']],
    ['0 9 * * *', 'Europe/Zurich', '2026-07-01T00:00:00Z', ['2026-07-01T07:00:00Z']],
    ['30 5 * * *', 'Asia/Kathmandu', '2026-01-01T00:00:00Z', ['2026-01-01T23:45:00Z']],
    // The clock skips 02:30 on March 29, and shows it twice on October 25.
    ['30 2 * * *', 'Europe/Zurich', '2026-03-28T12:00:00Z', ['2026-03-30T00:30:00Z']],
    [
      '30 2 * * *',
      'Europe/Zurich',
      '2026-10-24T12:00:00Z',
      ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-26T01:30:00Z'],
    ],
    // Where midnight is skipped the day begins at one.
    ['0 * * * *', 'America/Santiago', '2026-09-06T03:30:00Z', ['2026-09-06T04:00:00Z', '2026-09-06T05:00:00Z']],
    ['0 1 6 9 *', 'America/Santiago', '2026-09-01T00:00:00Z', ['2026-09-06T04:00:00Z']],
  ])('%s in %s after %s', (text, zone, from, expected) => {
    const plan = schedule(text, zone);
    let time = at(from);
    const times = expected.map(() => {
      time = plan.next(time) ?? Number.NaN;
      return new Date(time).toISOString().replace('.000', '');
    });
    expect(times).toEqual(expected.map((short) => (short.length > 10 ? short : `2026-01-01T${short}`)));
  });

  it.each([['0 0 30 2 *'], ['59 23 31 4,6,9,11 *'], [', * * * *']])('%s never comes', (text) => {
    expect(schedule(text).next(at('2026-01-01T00:00:00Z'))).toBeUndefined();
    expect(schedule(text).last(0, at('2026-01-01T00:00:00Z'))).toBeUndefined();
  });

  it.each([
    ['* * * * *', '2020-01-01T00:00:00Z', '2026-05-05T05:05:30Z', '2026-05-05T05:05:00.000Z'],
    ['*/10 9 * * 1', '2020-01-01T00:00:00Z', '2026-05-05T05:05:30Z', '2026-05-04T09:50:00.000Z'],
    ['0 0 1 1 *', '2026-01-01T00:00:00Z', '2026-05-05T05:05:30Z', undefined],
    ['0 0 1 1 *', '2025-12-31T23:59:59Z', '2026-05-05T05:05:30Z', '2026-01-01T00:00:00.000Z'],
    ['5 5 * * *', '2026-05-05T00:00:00Z', '2026-05-05T05:05:00Z', '2026-05-05T05:05:00.000Z'],
    ['@every 7s', '2026-05-05T00:00:00Z', '2026-05-05T00:01:00Z', '2026-05-05T00:00:56.000Z'],
  ])('the last of %s after %s until %s', (text, after, until, expected) => {
    const last = schedule(text).last(at(after), at(until));
    expect(last === undefined ? undefined : new Date(last).toISOString()).toBe(expected);
  });

  it.each([
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['5-2 * * * *', 'beginning of range (5) beyond end of range (2): 5-2'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['*/2/3 * * * *', 'too many slashes: */2/3'],
    ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ['@reboot', 'unrecognized descriptor: @reboot'],
    ['@every 5', 'failed to parse duration @every 5: time: missing unit in duration "5"'],
    ['@every 1d', 'failed to parse duration @every 1d: time: unknown unit "d" in duration "1d"'],
    ['@every x', 'failed to parse duration @every x: time: invalid duration "x"'],
  ])('%s is refused', (text, message) => {
    expect(() => schedule(text)).toThrow(message);
    const errors = resource.strategy.validate?.(cron({ schedule: text })) ?? [];
    expect(errors.find(({ field }) => field === 'spec.schedule')?.body).toContain(message);
  });

  it('times are written with their offset', () => {
    expect(formatIn(at('2026-01-01T10:00:00Z'), 'America/New_York')).toBe('2026-01-01T05:00:00-05:00');
    expect(formatIn(at('2026-01-01T10:00:00Z'), 'Asia/Kathmandu')).toBe('2026-01-01T15:45:00+05:45');
    expect(formatIn(at('2026-01-01T10:00:00Z'), 'UTC')).toBe('2026-01-01T10:00:00Z');
  });
});

const cron = (spec: CronJobSpec = {}): CronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'cj', namespace: 'ns' },
  spec: {
    schedule: '*/5 * * * *',
    concurrencyPolicy: 'Allow',
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
    jobTemplate: {
      metadata: { name: '', labels: { app: 'x' }, annotations: { note: 'y' } },
      spec: { template: { spec: { containers: [{ name: 'main' }] } } },
    },
    ...spec,
  },
});

async function start(spec: CronJobSpec = {}): Promise<Simulation> {
  const simulation = new Simulation({ kubelet: false, controllers: [cronJobController, garbageCollector] });
  simulation.time = at('2026-01-01T00:00:30Z');
  await simulation.cluster.create('batch/cronjobs', cron(spec));
  await simulation.settle(0);
  return simulation;
}

const MINUTE = 60_000;
const jobs = (simulation: Simulation): Job[] => simulation.cluster.all<Job>('batch/jobs');
const names = (simulation: Simulation): string[] => jobs(simulation).map(({ metadata }) => metadata.name);
const read = (simulation: Simulation): CronJob =>
  simulation.cluster.peek<CronJob>('batch/cronjobs', 'ns', 'cj') as CronJob;
const set = (simulation: Simulation, spec: object) =>
  simulation.cluster.patch('batch/cronjobs', 'ns', 'cj', 'merge', { spec } as never);
const events = (simulation: Simulation): string[] =>
  simulation.cluster.all<Event>('core/events').map(({ type, reason, message }) => `${type} ${reason} ${message}`);
const name = (time: string): string => `cj-${at(time) / MINUTE}`;

async function finish(simulation: Simulation, job: string, type = 'Complete'): Promise<void> {
  const completionTime = new Date(simulation.time).toISOString();
  const startTime = simulation.cluster.peek<Job>('batch/jobs', 'ns', job)?.metadata.creationTimestamp;
  const status = { startTime, completionTime, conditions: [{ type, status: 'True' }] } as never;
  await simulation.cluster.patch('batch/jobs', 'ns', job, 'merge', { status }, 'status');
  await simulation.settle(0);
}

describe('a CronJob', () => {
  it('starts a Job to the second, and knows when it ended', async () => {
    const simulation = await start();
    await simulation.settle(at('2026-01-01T00:04:59Z') - simulation.time);
    expect(names(simulation)).toEqual([]);
    await simulation.settle(1_000);
    const [job] = jobs(simulation);
    expect(job?.metadata).toMatchObject({
      name: name('2026-01-01T00:05:00Z'),
      creationTimestamp: '2026-01-01T00:05:00Z',
      labels: { app: 'x' },
      annotations: { note: 'y', 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:05:00Z' },
      ownerReferences: [{ kind: 'CronJob', name: 'cj', controller: true, blockOwnerDeletion: true }],
    });
    expect(read(simulation).status).toMatchObject({
      active: [{ apiVersion: 'batch/v1', kind: 'Job', name: job?.metadata.name, namespace: 'ns' }],
      lastScheduleTime: '2026-01-01T00:05:00Z',
    });
    await simulation.settle(10_000);
    await finish(simulation, job?.metadata.name ?? '');
    expect(read(simulation).status).toEqual({
      lastScheduleTime: '2026-01-01T00:05:00Z',
      lastSuccessfulTime: '2026-01-01T00:05:10Z',
    });
    expect(events(simulation)).toEqual([
      `Normal SuccessfulCreate Created job ${job?.metadata.name}`,
      `Normal SawCompletedJob Saw completed job: ${job?.metadata.name}, condition: Complete`,
    ]);
    await simulation.settle(15 * MINUTE);
    expect(jobs(simulation)).toHaveLength(4);
  });

  it('follows its time zone', async () => {
    const simulation = await start({ schedule: '0 9 * * *', timeZone: 'Asia/Kathmandu' });
    await simulation.settle(at('2026-01-01T03:15:00Z') - simulation.time);
    expect(jobs(simulation)[0]?.metadata.annotations).toMatchObject({
      'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T09:00:00+05:45',
    });
  });

  it('allows, forbids or replaces', async () => {
    for (const [concurrencyPolicy, expected] of [
      ['Allow', ['2026-01-01T00:05:00Z', '2026-01-01T00:10:00Z']],
      ['Forbid', ['2026-01-01T00:05:00Z']],
      ['Replace', ['2026-01-01T00:10:00Z']],
    ] as const) {
      const simulation = await start({ concurrencyPolicy });
      await simulation.settle(10 * MINUTE);
      expect(names(simulation)).toEqual(expected.map(name));
      expect(read(simulation).status?.active?.map((active) => active.name)).toEqual(expected.map(name));
      if (concurrencyPolicy !== 'Forbid') continue;
      const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
      expect(events(simulation)).toContain(`Normal JobAlreadyActive ${message}`);
      // What waited begins when nothing is in its way any more.
      await finish(simulation, name('2026-01-01T00:05:00Z'));
      expect(names(simulation)).toContain(name('2026-01-01T00:10:00Z'));
    }
  });

  it('keeps as much history as it may', async () => {
    const simulation = await start({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 });
    for (const type of ['Complete', 'Failed', 'Complete']) {
      await simulation.settle(5 * MINUTE);
      await finish(simulation, names(simulation).at(-1) ?? '', type);
    }
    expect(names(simulation)).toEqual([name('2026-01-01T00:15:00Z')]);
    expect(events(simulation)).toContain(`Normal SuccessfulDelete Deleted job ${name('2026-01-01T00:05:00Z')}`);
    expect(read(simulation).status).toMatchObject({ lastSuccessfulTime: '2026-01-01T00:15:30Z' });
  });

  it('is suspended; the last missed run begins on resumption, if it is not too late', async () => {
    for (const [deadline, expected] of [
      [undefined, [name('2026-01-01T00:15:00Z')]],
      [300, [name('2026-01-01T00:15:00Z')]],
      [60, []],
    ] as const) {
      const simulation = await start({ suspend: true, ...(deadline && { startingDeadlineSeconds: deadline }) });
      await simulation.settle(16.5 * MINUTE);
      expect(names(simulation)).toEqual([]);
      await set(simulation, { suspend: false });
      await simulation.settle(0);
      expect(names(simulation)).toEqual(expected);
    }
  });

  it('says when it missed very many runs', async () => {
    const simulation = await start({ suspend: true, schedule: '* * * * *' });
    await simulation.settle(102 * MINUTE);
    await set(simulation, { suspend: false });
    await simulation.settle(0);
    expect(names(simulation)).toEqual([name('2026-01-01T01:42:00Z')]);
    const message = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    expect(events(simulation)).toContain(`Warning TooManyMissedTimes ${message}`);
  });

  it('waits for the first run of a schedule that changed', async () => {
    const simulation = await start({ schedule: '0 0 1 1 *' });
    await simulation.settle(13 * MINUTE);
    await set(simulation, { schedule: '*/10 * * * *' });
    await simulation.settle(MINUTE);
    expect(names(simulation)).toEqual([]);
    await simulation.settle(6 * MINUTE);
    expect(names(simulation)).toEqual([name('2026-01-01T00:20:00Z')]);
  });

  it('notices a Job that somebody deleted', async () => {
    const simulation = await start();
    await simulation.settle(5 * MINUTE);
    await simulation.cluster.delete('batch/jobs', 'ns', name('2026-01-01T00:05:00Z'));
    await simulation.settle(0);
    expect(read(simulation).status).not.toHaveProperty('active');
    expect(events(simulation)).toContain(`Normal MissingJob Active job went missing: ${name('2026-01-01T00:05:00Z')}`);
    expect(names(simulation)).toEqual([]);
  });

  it('starts each run once, after whatever write it is interrupted', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    let cases = 0;
    for (let last = 1, reached = true; reached; last++, cases++) {
      const simulation = await start({ successfulJobsHistoryLimit: 0 });
      const { cluster } = simulation;
      const created: string[] = [];
      let count = 0;
      for (const method of ['create', 'patch', 'delete'] as const) {
        const inner = cluster[method] as (...args: unknown[]) => Promise<unknown>;
        cluster[method] = (async (...args: [string, ...unknown[]]) => {
          const counts = args[0].startsWith('batch/');
          if (counts && count === last) throw new Error('evicted');
          const answer = await inner.apply(cluster, args);
          if (counts) count++;
          if (method === 'create' && args[0] === 'batch/jobs') created.push((answer as Job).metadata.name);
          return answer;
        }) as never;
      }
      for (let minute = 0; minute < 11; minute++) {
        await simulation.settle(0.5 * MINUTE);
        if (count === last) {
          simulation.restart();
          count = Number.POSITIVE_INFINITY;
          await simulation.manager.tick();
        }
        for (const job of minute < 10 ? names(simulation) : []) await finish(simulation, job).catch(() => {});
        await simulation.settle(0.5 * MINUTE);
      }
      reached = count === Number.POSITIVE_INFINITY;
      expect(created).toEqual([name('2026-01-01T00:05:00Z'), name('2026-01-01T00:10:00Z')]);
      expect(read(simulation).status).toMatchObject({ lastScheduleTime: '2026-01-01T00:10:00Z' });
      expect(read(simulation).status).not.toHaveProperty('active');
      expect(names(simulation)).toEqual([]);
    }
    expect(cases).toBeGreaterThan(6);
  });
});
