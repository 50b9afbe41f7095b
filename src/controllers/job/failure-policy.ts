/** What a Job's `podFailurePolicy` says of a pod that failed. */
import type {
  PodFailurePolicyOnExitCodesRequirement as ExitCodes,
  Job,
  PodFailurePolicyRule as Rule,
} from '../../generated/types/batch.v1.ts';
import type { ContainerStatus, Pod } from '../../generated/types/core.v1.ts';

export interface Verdict {
  /** Whether the failure counts toward the back-off limit. */
  counts: boolean;
  action?: string;
  /** Why the whole Job fails, if it does. */
  failsJob?: string;
}

/** The verdict of the first rule that fits; without one the failure counts (`matchPodFailurePolicy`). */
export function judgeFailure(job: Job, pod: Pod): Verdict {
  const { namespace, name } = pod.metadata;
  for (const [index, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const why = reasonOf(rule, pod, `${namespace}/${name}`);
    if (why === undefined) continue;
    const verdict = { counts: rule.action !== 'Ignore', ...(rule.action === undefined ? {} : { action: rule.action }) };
    if (rule.action !== 'FailJob') return verdict;
    return { ...verdict, failsJob: `${why} matching ${rule.action} rule at index ${index}` };
  }
  return { counts: true };
}

function reasonOf({ onExitCodes, onPodConditions = [] }: Rule, { status }: Pod, pod: string): string | undefined {
  if (onExitCodes !== undefined) {
    const containers = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
    const container = containers.find((candidate) => exitMatches(candidate, onExitCodes));
    if (container === undefined) return undefined;
    const code = container.state?.terminated?.exitCode;
    return `Container ${container.name} for pod ${pod} failed with exit code ${code}`;
  }
  const condition = status?.conditions?.find(({ type, status: holds }) =>
    onPodConditions.some((pattern) => pattern.type === type && pattern.status === holds),
  );
  return condition === undefined ? undefined : `Pod ${pod} has condition ${condition.type}`;
}

function exitMatches({ name, state }: ContainerStatus, { containerName, operator, values = [] }: ExitCodes): boolean {
  if (containerName !== undefined && containerName !== name) return false;
  const code = state?.terminated?.exitCode ?? 0;
  if (code === 0) return false;
  return operator === 'In' ? values.includes(code) : operator === 'NotIn' && !values.includes(code);
}
