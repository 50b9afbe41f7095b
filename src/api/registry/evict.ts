/** The two decisions of an eviction: what the budget grants, and what becomes of the pod. */
import { failure, forbidden, notFound, StatusError } from '../../apimachinery/errors.ts';
import { now } from '../../apimachinery/meta.ts';
import type { DeleteRequest } from '../../durable-objects/rpc.ts';
import type { Pod, PodCondition } from '../../generated/types/core.v1.ts';
import type { PodDisruptionBudget } from '../../generated/types/policy.v1.ts';
import { expectedCondition, MAX_DISRUPTED_PODS, setDisruptionAllowed } from '../../resources/policy/disruption.ts';
import { withResourceVersion } from '../../store/text.ts';
import type { Decide } from '../../store/types.ts';
import { settleObject } from './create.ts';
import { decideDelete } from './delete.ts';
import { decodeText, encodeStored, splitKey } from './encode.ts';
import { BY_API_SERVER, trackChange } from './managed-fields.ts';
import { resourceNamed } from './resource-name.ts';

const BUDGET = { group: 'policy', resource: 'poddisruptionbudget' };
const VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget.";

/** 429 with the budget as its cause; with a time when to ask again where that is known. */
function tooMany(message: string, retryAfterSeconds?: number): StatusError {
  const causes = [{ reason: 'DisruptionBudget', message }];
  const details = { causes, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  return new StatusError(failure(429, 'TooManyRequests', VIOLATED, details));
}

/** The budget has not been counted as it is now: ask again in a moment. */
export const stillProcessed = (budget: string): StatusError =>
  tooMany(`The disruption budget ${budget} is still being processed by the server.`, 10);

/** Takes one disruption from a budget, if it has one left (`checkAndDecrement`). */
export function decideDisrupt({ pod, dryRun }: { pod: string; dryRun: boolean }, key: string): Decide {
  const budgets = resourceNamed('policy/v1/poddisruptionbudgets');
  return (current) => {
    if (current === undefined) return { do: 'fail', status: notFound(budgets, splitKey(key).name).status };
    const budget = decodeText<PodDisruptionBudget>(current.text);
    const refusal = refusalOf(budget);
    if (refusal !== undefined) return { do: 'fail', status: refusal.status };
    const status = { ...budget.status };
    status.disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
    if (status.disruptionsAllowed === 0) setDisruptionAllowed(status, expectedCondition(0));
    // The controller counts the pod as gone from now on, whether or not its delete comes through.
    status.disruptedPods = Object.fromEntries([...Object.entries(status.disruptedPods ?? {}), [pod, now()]]);
    const next = { ...budget, status };
    trackChange(budgets, 'status', budget, next, BY_API_SERVER);
    settleObject(budgets, next);
    const object = encodeStored(budgets, next);
    return dryRun
      ? { do: 'answer', text: withResourceVersion(object.text, current.resourceVersion) }
      : { do: 'write', object };
  };
}

function refusalOf({ metadata, status = {} }: PodDisruptionBudget): StatusError | undefined {
  const { name, generation = 0 } = metadata;
  const { disruptionsAllowed = 0, desiredHealthy = 0, currentHealthy = 0 } = status;
  if ((status.observedGeneration ?? 0) < generation) return stillProcessed(name);
  if (disruptionsAllowed < 0) return forbidden(BUDGET, name, 'pdb disruptions allowed is negative');
  if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED_PODS) {
    const why = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller';
    return forbidden(BUDGET, name, why);
  }
  if (disruptionsAllowed > 0) return undefined;
  return tooMany(
    `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
  );
}

/** Deletes a pod, with the condition that says by whom (`addConditionAndDeletePod`). */
export function decideEvict(options: DeleteRequest, key: string): Decide {
  const pods = resourceNamed('core/v1/pods');
  return decideDelete(pods, key, options, (object) => {
    const pod = object as Pod;
    const conditions = [...(pod.status?.conditions ?? [])];
    const at = conditions.findIndex(({ type }) => type === 'DisruptionTarget');
    const before = conditions[at];
    const condition: PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      lastTransitionTime: (before?.status === 'True' ? before.lastTransitionTime : undefined) ?? now(),
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
    };
    if (at < 0) conditions.push(condition);
    else conditions[at] = condition;
    pod.status = { ...pod.status, conditions };
    settleObject(pods, pod);
  });
}
