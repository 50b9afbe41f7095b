/** Jobs whose pods really run, fail and end. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { importImages } from './lab.ts';
import { hasKubectl, isRoot, must } from './support.ts';

const job = (name: string, script: string, spec: object, pod: object = {}): string =>
  JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      ...spec,
      template: {
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image: 'busybox:1.35', command: ['sh', '-c', script] }],
          ...pod,
        },
      },
    },
  });

describe.skipIf(!(hasKubectl && isRoot) && process.env['CI'] !== 'true')('jobs on a real node', () => {
  let plane: ControlPlane;
  const run = (...args: string[]): Promise<string> => must(plane, args);
  const apply = (manifest: string): Promise<string> => must(plane, ['apply', '-f', '-'], manifest);
  const status = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse(await run('get', 'job', name, '-o', 'jsonpath={.status}')) as Record<string, unknown>;
  const ended = (name: string, condition: string): Promise<string> =>
    run('wait', `--for=condition=${condition}`, `job/${name}`, '--timeout=90s');

  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'real' });
    importImages(join(plane.data, 'node/containerd/containerd.sock'));
  });
  afterAll(async () => {
    await plane?.stop();
  });

  it('pods of an Indexed Job know their index', async () => {
    const spec = { completionMode: 'Indexed', completions: 3, parallelism: 2 };
    await apply(job('indexed', 'echo $JOB_COMPLETION_INDEX on $(hostname)', spec));
    await ended('indexed', 'complete');
    const logs = await run('logs', '-l', 'job-name=indexed', '--tail=-1');
    expect(logs.trim().split('\n').sort()).toEqual(['0 on indexed-0', '1 on indexed-1', '2 on indexed-2']);
    expect(await status('indexed')).toMatchObject({ succeeded: 3, completedIndexes: '0-2', ready: 0, terminating: 0 });
    expect(await run('get', 'pods', '-l', 'job-name=indexed', '-o', 'jsonpath={.items[*].metadata.finalizers}')).toBe(
      '',
    );
  });

  it('a Job fails by its policy, and by its deadline', async () => {
    const rules = [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }];
    await apply(job('policy', 'exit 42', { podFailurePolicy: { rules } }));
    await apply(job('late', 'sleep 1000', { activeDeadlineSeconds: 4 }));
    await ended('policy', 'failed');
    const conditions = (await status('policy'))['conditions'] as { type: string; reason: string; message: string }[];
    const failed = conditions.find(({ type }) => type === 'Failed');
    expect(failed?.reason).toBe('PodFailurePolicy');
    expect(failed?.message).toMatch(
      /^Container main for pod default\/policy-\S+ failed with exit code 42 matching FailJob rule at index 0$/,
    );
    await ended('late', 'failed');
    expect(await status('late')).toMatchObject({ failed: 1, terminating: 0 });
    await expect.poll(() => run('get', 'pods', '-l', 'job-name=late', '-o', 'name')).toBe('');
  });

  it('a CronJob starts on the minute, and by hand; what has finished goes', async () => {
    const manifest = JSON.parse(job('x', 'true', { ttlSecondsAfterFinished: 20 })) as { spec: object };
    const spec = { schedule: '* * * * *', jobTemplate: { spec: manifest.spec } };
    await apply(JSON.stringify({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'cron' }, spec }));
    await run('create', 'job', 'hand', '--from=cronjob/cron');
    await ended('hand', 'complete');
    const last = (): Promise<string> => run('get', 'cronjob', 'cron', '-o', 'jsonpath={.status.lastScheduleTime}');
    await expect.poll(last, { timeout: 120_000, interval: 500 }).not.toBe('');
    const name = `cron-${Date.parse(await last()) / 60_000}`;
    const created = await run('get', 'job', name, '-o', 'jsonpath={.metadata.creationTimestamp}');
    expect(Date.parse(created) - Date.parse(await last())).toBeLessThanOrEqual(10_000);
    await ended(name, 'complete');
    await run('wait', '--for=delete', 'job/hand', '--timeout=90s');
  });
});
