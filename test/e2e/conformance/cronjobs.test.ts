/** CronJobs, by the names of Kubernetes' conformance tests. They wait for the minute, together. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CronJob, Job } from '../../../src/generated/types/batch.v1.ts';
import { Cluster } from './cluster.ts';
import { unscheduled } from './objects.ts';
import { operations } from './operations.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

const cron = (spec: object): object => ({
  schedule: '*/1 * * * *',
  jobTemplate: { spec: { template: { spec: unscheduled({ restartPolicy: 'Never' }) } } },
  ...spec,
});
const CRON_MS = 100_000;

describe.concurrent('[sig-apps] CronJob', { timeout: 4 * CRON_MS }, () => {
  async function cronWorld() {
    const ns = await cluster.namespace();
    return { crons: ns.of<CronJob>('batch/v1', 'cronjobs'), jobs: ns.of<Job>('batch/v1', 'jobs') };
  }

  it('should not schedule jobs when suspended', async () => {
    const { crons, jobs } = await cronWorld();
    await crons.create({ metadata: { name: 'cron' }, spec: cron({ suspend: true }) });
    const other = await cronWorld();
    await other.crons.create({ metadata: { name: 'cron' }, spec: cron({}) });
    await other.jobs.untilList((items) => items.length > 0, {}, CRON_MS);
    expect((await jobs.list()).items).toEqual([]);
    expect((await crons.get('cron')).status?.active ?? []).toEqual([]);
  });

  it('should schedule multiple jobs concurrently', async () => {
    const { crons, jobs } = await cronWorld();
    await crons.create({ metadata: { name: 'cron' }, spec: cron({ concurrencyPolicy: 'Allow' }) });
    await jobs.untilList((items) => items.length === 2, {}, 2 * CRON_MS);
    await crons.until('cron', ({ status }) => status?.active?.length === 2);
  });

  it('should not schedule new jobs when ForbidConcurrent', async () => {
    const { crons, jobs } = await cronWorld();
    await crons.create({ metadata: { name: 'cron' }, spec: cron({ concurrencyPolicy: 'Forbid' }) });
    const [first] = await jobs.untilList((items) => items.length === 1, {}, CRON_MS);
    const other = await cronWorld();
    await other.crons.create({ metadata: { name: 'cron' }, spec: cron({}) });
    await other.jobs.untilList((items) => items.length > 0, {}, CRON_MS);
    expect((await jobs.list()).items.map(({ metadata }) => metadata.name)).toEqual([first?.metadata.name]);
    await crons.until('cron', ({ status }) => status?.active?.length === 1);
  });

  it('should replace jobs when ReplaceConcurrent', async () => {
    const { crons, jobs } = await cronWorld();
    await crons.create({ metadata: { name: 'cron' }, spec: cron({ concurrencyPolicy: 'Replace' }) });
    const [first] = await jobs.untilList((items) => items.length === 1, {}, CRON_MS);
    await jobs.untilList((items) => items.length === 1 && items[0]?.metadata.uid !== first?.metadata.uid, {}, CRON_MS);
  });

  it('should support CronJob API operations', async () => {
    const { crons } = await cronWorld();
    const status = { lastScheduleTime: '2026-01-01T00:00:00Z' };
    await operations(
      crons,
      { spec: cron({ schedule: '0 0 31 2 *', suspend: true }) },
      { spec: { suspend: true } },
      {
        status: { patch: status, seen: (one: CronJob) => one.status },
      },
    );
  });
});
