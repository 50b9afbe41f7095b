/** The pods that a Job makes. */
import { sortedByKey } from '../../apimachinery/meta.ts';
import type { Job } from '../../generated/types/batch.v1.ts';
import type { Container, Pod } from '../../generated/types/core.v1.ts';
import { podFromTemplate } from '../replicaset/replicas.ts';
import { judgeFailure } from './failure-policy.ts';
import {
  COMPLETION_INDEX,
  countsPerIndex,
  INDEX_FAILURES,
  INDEX_IGNORED_FAILURES,
  ignoredIndexFailures,
  indexFailures,
  TRACKING,
} from './pods.ts';

const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX';
/** Longest name, less the random letters that follow. */
const LONGEST_PREFIX = 63 - 5;

/** A new pod of the Job; `index` and the failed pod that worked on it before where the Job has indexes. */
export function podOf(job: Job, index?: number, predecessor?: Pod): Pod {
  const template = job.spec?.template ?? {};
  const pod = podFromTemplate({ object: job, apiVersion: 'batch/v1', kind: 'Job', replicas: 1, template });
  const { metadata, spec } = pod;
  metadata.finalizers = [...new Set([...(metadata.finalizers ?? []), TRACKING])];
  if (index === undefined || spec === undefined) return pod;
  const suffix = `-${index}-`;
  metadata.generateName = job.metadata.name.slice(0, LONGEST_PREFIX - suffix.length) + suffix;
  metadata.annotations = { ...metadata.annotations, [COMPLETION_INDEX]: `${index}` };
  metadata.labels = sortedByKey({ ...metadata.labels, [COMPLETION_INDEX]: `${index}` });
  if (countsPerIndex(job)) Object.assign(metadata.annotations, failureCounts(job, predecessor));
  spec.hostname = `${job.metadata.name}-${index}`;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) tellIndex(container);
  return pod;
}

function tellIndex(container: Container): void {
  if (container.env?.some(({ name }) => name === INDEX_VARIABLE)) return;
  const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`;
  container.env = [...(container.env ?? []), { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath } } }];
}

function failureCounts(job: Job, predecessor: Pod | undefined): Record<string, string> {
  if (predecessor === undefined) return { [INDEX_FAILURES]: '0' };
  const { counts } = judgeFailure(job, predecessor);
  const ignored = ignoredIndexFailures(predecessor) + (counts ? 0 : 1);
  return {
    [INDEX_FAILURES]: `${indexFailures(predecessor) + (counts ? 1 : 0)}`,
    ...(ignored === 0 ? {} : { [INDEX_IGNORED_FAILURES]: `${ignored}` }),
  };
}
