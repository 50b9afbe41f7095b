/** Jobs, by the names of Kubernetes' conformance tests. Where pods must fail, the tests play the kubelet. */
import { ApiException } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../../src/generated/types/batch.v1.ts';
import type { Pod } from '../../../src/generated/types/core.v1.ts';
import { Cluster } from './cluster.ts';
import { podSpec, unscheduled } from './objects.ts';
import type { Resource } from './resource.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

const INDEX = 'batch.kubernetes.io/job-completion-index';
const never = { restartPolicy: 'Never' };

const job = (spec: object, podOptions: object = unscheduled(never), metadata: object = {}): object => ({
  metadata: { name: 'job', ...metadata },
  spec: { ...spec, template: { spec: podOptions } },
});

async function jobWorld() {
  const ns = await cluster.namespace();
  return { ns, jobs: ns.of<Job>('batch/v1', 'jobs'), pods: ns.of<Pod>('v1', 'pods') };
}

const has =
  (type: string) =>
  ({ status }: Job): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;

const reasonOf = ({ status }: Job, wanted: string): string | undefined =>
  status?.conditions?.find(({ type }) => type === wanted)?.reason;

/** Ends a pod as its container would with this exit code. */
async function end(pods: Resource<Pod>, name: string, exitCode: number, conditions: object[] = []): Promise<void> {
  const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
  const at = new Date().toISOString().replace(/\.\d+/, '');
  const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: at, finishedAt: at };
  const containerStatuses = [
    { name: 'main', image: 'pause', imageID: '', ready: false, restartCount: 0, state: { terminated } },
  ];
  const status = { phase, containerStatuses, conditions };
  await pods.patch(name, { status }, { type: 'strategic', subresource: 'status' });
}

/** The same of one that the controller may have deleted meanwhile. */
async function endIfThere(pods: Resource<Pod>, name: string, exitCode: number): Promise<void> {
  try {
    await end(pods, name, exitCode);
  } catch (error) {
    if (!(error instanceof ApiException && error.code === 404)) throw error;
  }
}

const running = (items: Pod[]): Pod[] =>
  items.filter(({ status, metadata }) => status?.phase === 'Pending' && metadata.deletionTimestamp === undefined);

/** Ends every pod that comes, with the exit code that its index gives, until the Job is over. */
async function play(jobs: Resource<Job>, pods: Resource<Pod>, exitCode: (index: number) => number): Promise<Job> {
  const over = (one: Job): boolean => has('Complete')(one) || has('Failed')(one);
  for (const deadline = Date.now() + 90_000; Date.now() < deadline; ) {
    const now = await jobs.get('job');
    if (over(now)) return now;
    for (const { metadata } of running((await pods.list()).items)) {
      await endIfThere(pods, metadata.name, exitCode(Number(metadata.annotations?.[INDEX])));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the Job goes on: ${JSON.stringify((await jobs.get('job')).status)}`);
}

describe.concurrent('[sig-apps] Job', () => {
  it('should create pods for an Indexed job with completion indexes and specified hostname', async () => {
    const { jobs, pods } = await jobWorld();
    await jobs.create(job({ parallelism: 2, completions: 4, completionMode: 'Indexed' }, podSpec(never)));
    await jobs.until('job', has('Complete'));
    const { items } = await pods.list();
    const indexes = items.map(({ metadata, spec }) => `${metadata.annotations?.[INDEX]} ${spec?.hostname}`);
    expect(indexes.sort()).toEqual(['0 job-0', '1 job-1', '2 job-2', '3 job-3']);
    expect((await jobs.get('job')).status?.completedIndexes).toBe('0-3');
  });

  it('should adopt matching orphans and release non-matching pods', async () => {
    const { jobs, pods } = await jobWorld();
    const made = await jobs.create(job({ parallelism: 2, completions: 2, backoffLimit: 6 }));
    const [{ metadata } = { metadata: { name: '', labels: {} } }] = await pods.untilList((items) => items.length === 2);
    const controller = (one: Pod): string | undefined =>
      one.metadata.ownerReferences?.find((ref) => ref.controller)?.uid;
    await pods.patch(metadata.name, { metadata: { ownerReferences: null } });
    await pods.until(metadata.name, (one) => controller(one) === made.metadata.uid);
    const labels = Object.fromEntries(Object.keys(metadata.labels ?? {}).map((key) => [key, null]));
    await pods.patch(metadata.name, { metadata: { labels } });
    await pods.until(metadata.name, (one) => controller(one) === undefined);
  });

  it('should delete a job', async () => {
    const { jobs, pods } = await jobWorld();
    await jobs.create(job({ parallelism: 2, completions: 2 }));
    await pods.untilList((items) => items.length === 2);
    await jobs.delete('job', { propagationPolicy: 'Foreground' });
    await jobs.untilGone('job');
    expect((await pods.list()).items).toEqual([]);
  });

  it('should allow to use the pod failure policy on exit code to fail the job early', async () => {
    const { jobs, pods } = await jobWorld();
    const rules = [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [1] } }];
    await jobs.create(job({ backoffLimit: 6, podFailurePolicy: { rules } }));
    const failed = await play(jobs, pods, () => 1);
    expect(reasonOf(failed, 'Failed')).toBe('PodFailurePolicy');
    expect(failed.status?.failed).toBe(1);
  });

  it('should allow to use a pod failure policy to ignore failure matching on DisruptionTarget condition', async () => {
    const { jobs, pods } = await jobWorld();
    const rules = [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }];
    await jobs.create(job({ backoffLimit: 0, podFailurePolicy: { rules } }));
    const [first] = await pods.untilList((items) => items.length === 1);
    const name = first?.metadata.name ?? '';
    await end(pods, name, 137, [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' }]);
    await pods.untilList((items) => items.some(({ metadata }) => metadata.name !== name));
    const done = await play(jobs, pods, () => 0);
    expect(has('Complete')(done)).toBe(true);
    expect(done.status?.failed ?? 0).toBe(0);
  });

  it('should execute all indexes despite some failing when using backoffLimitPerIndex', async () => {
    const { jobs, pods } = await jobWorld();
    const spec = { parallelism: 2, completions: 4, completionMode: 'Indexed', backoffLimitPerIndex: 1 };
    await jobs.create(job(spec));
    const failed = await play(jobs, pods, (index) => (index % 2 === 0 ? 1 : 0));
    expect(reasonOf(failed, 'Failed')).toBe('FailedIndexes');
    expect(failed.status).toMatchObject({ failedIndexes: '0,2', completedIndexes: '1,3', failed: 4, succeeded: 2 });
  });

  it('should mark indexes as failed when the FailIndex action is matched in podFailurePolicy', async () => {
    const { jobs, pods } = await jobWorld();
    const rules = [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [42] } }];
    const spec = { parallelism: 2, completions: 2, completionMode: 'Indexed', backoffLimitPerIndex: 1 };
    await jobs.create(job({ ...spec, podFailurePolicy: { rules } }));
    const failed = await play(jobs, pods, (index) => (index === 0 ? 42 : 0));
    expect(reasonOf(failed, 'Failed')).toBe('FailedIndexes');
    expect(failed.status).toMatchObject({ failedIndexes: '0', completedIndexes: '1', failed: 1, succeeded: 1 });
  });

  it('should terminate job execution when the number of failed indexes exceeds maxFailedIndexes', async () => {
    const { jobs, pods } = await jobWorld();
    const limits = { backoffLimitPerIndex: 0, maxFailedIndexes: 0 };
    await jobs.create(job({ parallelism: 2, completions: 4, completionMode: 'Indexed', ...limits }));
    const failed = await play(jobs, pods, () => 1);
    expect(reasonOf(failed, 'Failed')).toBe('MaxFailedIndexesExceeded');
  });

  it('should apply changes to a job status', async () => {
    const { jobs } = await jobWorld();
    await jobs.create(job({ parallelism: 2, completions: 4 }));
    await jobs.until('job', ({ status }) => status?.active === 2);
    const condition = { type: 'CustomConditionType', status: 'True', reason: 'E2E', message: 'Set from a test' };
    const metadata = { annotations: { patchedstatus: 'true' } };
    const patched = await jobs.patch(
      'job',
      { metadata, status: { conditions: [condition] } },
      { subresource: 'status' },
    );
    expect(patched.status?.conditions).toEqual([expect.objectContaining(condition)]);
    expect(patched.metadata.annotations).toMatchObject({ patchedstatus: 'true' });
    const updated = await jobs.update(
      'job',
      ({ status }) => status?.conditions?.push({ ...condition, type: 'StatusUpdate' }),
      'status',
    );
    expect(updated.status?.conditions?.map(({ type }) => type)).toContain('StatusUpdate');
  });

  it('should manage the lifecycle of a job', async () => {
    const { ns, jobs, pods } = await jobWorld();
    const labels = { job: ns.name };
    await jobs.create(job({ parallelism: 1, completions: 1, suspend: true }, podSpec(never), { labels }));
    await jobs.until('job', has('Suspended'));
    expect((await pods.list()).items).toEqual([]);
    await jobs.patch('job', { metadata: { labels: { patched: 'true' } } }, { type: 'strategic' });
    await jobs.update('job', (one) => {
      if (one.spec) one.spec.suspend = false;
      one.metadata.annotations = { updated: 'true' };
    });
    await jobs.until('job', has('Complete'));
    const everywhere = cluster.of<Job>('batch/v1', 'jobs');
    const labelSelector = `job=${ns.name}`;
    expect((await everywhere.list({ labelSelector })).items).toHaveLength(1);
    await jobs.deleteCollection({ labelSelector }, { propagationPolicy: 'Background' });
    expect((await everywhere.list({ labelSelector })).items).toEqual([]);
  });
});

describe.concurrent('[sig-apps] Job with successPolicy', () => {
  const indexed = { parallelism: 3, completions: 3, completionMode: 'Indexed' };

  it('should succeeded when all indexes succeeded', async () => {
    const { jobs } = await jobWorld();
    await jobs.create(job({ ...indexed, successPolicy: { rules: [{ succeededCount: 3 }] } }, podSpec(never)));
    const done = await jobs.until('job', has('Complete'));
    expect(done.status?.completedIndexes).toBe('0-2');
    expect(['SuccessPolicy', 'CompletionsReached']).toContain(reasonOf(done, 'Complete'));
  });

  async function endsEarly(rule: object): Promise<void> {
    const { jobs, pods } = await jobWorld();
    await jobs.create(job({ ...indexed, successPolicy: { rules: [rule] } }));
    const made = await pods.untilList((items) => items.length === 3);
    const first = made.find(({ metadata }) => metadata.annotations?.[INDEX] === '0');
    await end(pods, first?.metadata.name ?? '', 0);
    const done = await jobs.until('job', has('Complete'));
    expect(reasonOf(done, 'SuccessCriteriaMet')).toBe('SuccessPolicy');
    expect(reasonOf(done, 'Complete')).toBe('SuccessPolicy');
    expect(done.status).toMatchObject({ completedIndexes: '0', succeeded: 1 });
  }

  it('succeededIndexes rule should succeeded even when some indexes remain pending', () =>
    endsEarly({ succeededIndexes: '0' }));

  it('succeededCount rule should succeeded even when some indexes remain pending', () =>
    endsEarly({ succeededCount: 1 }));
});
