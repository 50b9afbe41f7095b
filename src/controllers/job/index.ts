/** Runs pods until a Job's work is done, and counts each that ended exactly once. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { selects } from '../../apimachinery/labels.ts';
import { controllerOf, now } from '../../apimachinery/meta.ts';
import type { Job } from '../../generated/types/batch.v1.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import {
  type Controller,
  type ControllerContext,
  itself,
  keyOf,
  type ObjectChange,
  type Requeue,
} from '../controller.ts';
import { podCondition } from '../pods.ts';
import { claim } from '../replicaset/claim.ts';
import { FailureMemory } from './backoff.ts';
import { ensureCondition, isFinished } from './conditions.ts';
import { completion, deadlineMs, earlyFinish } from './finish.ts';
import { type Managed, manage, removePods } from './manage.ts';
import { isSuspended, JOBS, TRACKING } from './pods.ts';
import { look, type Sync } from './sync.ts';
import { track } from './track.ts';

const KIND = { apiVersion: 'batch/v1', kind: 'Job' };
const MANAGER = 'kubernetes.io/job-controller';

/** One for each manager. */
const memories = new WeakMap<ControllerContext, FailureMemory>();

function memoryOf(context: ControllerContext): FailureMemory {
  const memory = memories.get(context) ?? new FailureMemory();
  memories.set(context, memory);
  return memory;
}

/** Upstream's `job-controller`. */
export const jobController: Controller = {
  name: 'job-controller',
  watches: [
    { resource: JOBS, keys: itself },
    { resource: 'core/pods', keys: jobsOfPod },
  ],
  async reconcile(client, ref, context): Promise<Requeue | undefined> {
    const read = await client.get<Job>(JOBS, ref.namespace, ref.name);
    if (read === undefined || !isOurs(read)) return;
    if (isFinished(read)) {
      memoryOf(context).forget(read.metadata.uid);
      return;
    }
    const job: Job = { ...read, ...KIND };
    const selector = job.spec?.selector ?? {};
    const pods = await claim<Pod>(client, 'core/pods', job, KIND.apiVersion, KIND.kind, selector, undefined, TRACKING);
    return syncJob(client, look(job, pods, context.now()), read, context);
  },
};

/** Whether this controller is to run the Job: `managedBy` may name another. */
const isOurs = ({ spec }: Job): boolean => spec?.managedBy === undefined || spec.managedBy === MANAGER;

async function syncJob(
  client: Client,
  sync: Sync,
  before: Job,
  context: ControllerContext,
): Promise<Requeue | undefined> {
  const { job } = sync;
  if (!isSuspended(job)) job.status.startTime ??= now(sync.now);
  let finish = earlyFinish(sync);
  let managed: Managed = {};
  if (finish !== undefined) {
    managed.failure = await removePods(client, sync, sync.activePods, 'counted', context);
    // Pods that could not be deleted may yet run: the Job has not ended.
    if (managed.failure !== undefined) finish = undefined;
  } else {
    const deleting = job.metadata.deletionTimestamp !== undefined;
    if (!deleting) managed = await manage(client, sync, memoryOf(context), context);
    finish = completion(sync);
    if (finish === undefined && !deleting) noteSuspension(sync, context);
  }
  await track(client, sync, finish, before, context);
  if (managed.failure !== undefined) throw managed.failure;
  const waits = [deadlineMs(sync), managed.backoffMs].filter((wait) => wait !== undefined);
  if (finish !== undefined || waits.length === 0) return;
  return { requeueAfterMs: Math.max(0, Math.min(...waits)) };
}

/** Keeps the condition Suspended. While a Job is suspended it has no start, and from its resumption on its time counts anew. */
function noteSuspension({ job, now: at }: Sync, { events }: ControllerContext): void {
  const { status } = job;
  const suspended = isSuspended(job);
  const reason = suspended ? 'JobSuspended' : 'JobResumed';
  const message = suspended ? 'Job suspended' : 'Job resumed';
  const said = { reason, message };
  const { conditions, changed } = ensureCondition(
    status.conditions,
    'Suspended',
    suspended ? 'True' : 'False',
    said,
    at,
  );
  if (suspended) delete status.startTime;
  if (!changed) return;
  status.conditions = conditions;
  if (!suspended) status.startTime = now(at);
  events.record(job, 'Normal', suspended ? 'Suspended' : 'Resumed', message);
}

/** What of a pod its Job looks at. */
const facts = ({ metadata, status }: Pod): unknown[] => [
  metadata.labels,
  metadata.ownerReferences,
  metadata.finalizers,
  metadata.annotations,
  metadata.deletionTimestamp === undefined,
  status?.phase,
  status?.conditions?.map(({ type, status: holds }) => [type, holds]),
  podCondition({ metadata, status } as Pod, 'Ready')?.lastTransitionTime,
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(({ restartCount, state }) => [
    restartCount,
    state?.terminated,
  ]),
];

/** Keys of the Jobs that a change of a pod concerns: its controller now and before, or those that would adopt it. */
async function jobsOfPod(change: ObjectChange, client: Client): Promise<string[]> {
  const { namespace, previous } = change;
  const pod = await change.object();
  if (change.type === 'MODIFIED' && pod && previous && deepEqual(facts(pod as Pod), facts(previous as Pod))) return [];
  const states = [pod, previous].filter((state) => state !== undefined);
  const owners = states.map(controllerOf).filter((owner) => owner !== undefined);
  const keys = owners.filter(({ kind }) => kind === KIND.kind).map(({ name }) => `${namespace}/${name}`);
  if (owners.length > 0) return [...new Set(keys)];
  const { items } = await client.list<Job>(JOBS, { namespace });
  const mayOwn = ({ spec }: Job): boolean =>
    states.length === 0 || states.some(({ metadata }) => selects(spec?.selector, metadata.labels));
  return items.filter((job) => !isFinished(job) && mayOwn(job)).map(keyOf);
}
