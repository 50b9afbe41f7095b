/** Columns of the apps, batch and autoscaling groups: workloads. */
import { ageSince, humanDuration } from '../../apimachinery/duration.ts';
import { controllerOf, type KubeObject, parseApiVersion } from '../../apimachinery/meta.ts';
import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  StatefulSet,
} from '../../generated/types/apps.v1.ts';
import type { CronJob, Job } from '../../generated/types/batch.v1.ts';
import type { Column } from '../resource.ts';
import { hpaColumns } from './autoscaling.ts';
import {
  age,
  boolean,
  containerColumns,
  erased,
  formatLabels,
  formatSelector,
  integer,
  NONE,
  name,
  text,
  UNSET,
  wide,
} from './shared.ts';

/** `statefulset.apps/web`. */
function controllerName(object: KubeObject): string {
  const owner = controllerOf(object);
  if (owner === undefined) return NONE;
  const { group } = parseApiVersion(owner.apiVersion);
  return `${`${owner.kind}${group === '' ? '' : `.${group}`}`.toLowerCase()}/${owner.name}`;
}

const controllerRevisions: Column<ControllerRevision>[] = [
  name,
  text('Controller', controllerName),
  text('Revision', ({ revision }) => revision ?? 0),
  age,
];

const daemonSets: Column<DaemonSet>[] = [
  name,
  integer('Desired', ({ status }) => status?.desiredNumberScheduled ?? 0),
  integer('Current', ({ status }) => status?.currentNumberScheduled ?? 0),
  integer('Ready', ({ status }) => status?.numberReady ?? 0),
  integer('Up-to-date', ({ status }) => status?.updatedNumberScheduled ?? 0),
  integer('Available', ({ status }) => status?.numberAvailable ?? 0),
  text('Node Selector', ({ spec }) => formatLabels(spec?.template?.spec?.nodeSelector)),
  age,
  ...containerColumns<DaemonSet>(({ spec }) => spec?.template?.spec?.containers),
  wide(text('Selector', ({ spec }) => formatSelector(spec?.selector))),
];

const deployments: Column<Deployment>[] = [
  name,
  text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
  text('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
  text('Available', ({ status }) => status?.availableReplicas ?? 0),
  age,
  ...containerColumns<Deployment>(({ spec }) => spec?.template?.spec?.containers),
  wide(text('Selector', ({ spec }) => formatSelector(spec?.selector))),
];

const replicaSets: Column<ReplicaSet>[] = [
  name,
  integer('Desired', ({ spec }) => spec?.replicas ?? 0),
  integer('Current', ({ status }) => status?.replicas ?? 0),
  integer('Ready', ({ status }) => status?.readyReplicas ?? 0),
  age,
  ...containerColumns<ReplicaSet>(({ spec }) => spec?.template?.spec?.containers),
  wide(text('Selector', ({ spec }) => formatSelector(spec?.selector))),
];

const statefulSets: Column<StatefulSet>[] = [
  name,
  text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
  age,
  ...containerColumns<StatefulSet>(({ spec }) => spec?.template?.spec?.containers),
];

function jobStatus({ metadata, status }: Job): string {
  const is = (type: string): boolean => (status?.conditions ?? []).some((c) => c.type === type && c.status === 'True');
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (metadata.deletionTimestamp) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(is) ?? 'Running';
}

function completions({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions != null) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function duration({ status }: Job, now: number): string {
  if (!status?.startTime) return '';
  const end = status.completionTime ? Date.parse(status.completionTime) : now;
  return humanDuration(end - Date.parse(status.startTime));
}

const jobs: Column<Job>[] = [
  name,
  text('Status', jobStatus),
  text('Completions', completions),
  text('Duration', duration),
  age,
  ...containerColumns<Job>(({ spec }) => spec?.template?.spec?.containers),
  wide(text('Selector', ({ spec }) => formatSelector(spec?.selector))),
];

const cronJobs: Column<CronJob>[] = [
  name,
  text('Schedule', ({ spec }) => spec?.schedule ?? ''),
  text('Timezone', ({ spec }) => spec?.timeZone ?? NONE),
  boolean('Suspend', ({ spec }) => (spec?.suspend == null ? UNSET : spec.suspend ? 'True' : 'False')),
  integer('Active', ({ status }) => status?.active?.length ?? 0),
  text('Last Schedule', ({ status }, now) =>
    status?.lastScheduleTime ? ageSince(status.lastScheduleTime, now) : NONE,
  ),
  age,
  ...containerColumns<CronJob>(({ spec }) => spec?.jobTemplate?.spec?.template?.spec?.containers),
  wide(text('Selector', ({ spec }) => formatSelector(spec?.jobTemplate?.spec?.selector))),
];

export const workloadColumns: Record<string, Column<KubeObject>[]> = {
  'apps/controllerrevisions': erased(controllerRevisions),
  'apps/daemonsets': erased(daemonSets),
  'apps/deployments': erased(deployments),
  'apps/replicasets': erased(replicaSets),
  'apps/statefulsets': erased(statefulSets),
  'autoscaling/horizontalpodautoscalers': erased(hpaColumns),
  'batch/cronjobs': erased(cronJobs),
  'batch/jobs': erased(jobs),
};
