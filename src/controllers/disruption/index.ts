/** Keeps the status of PodDisruptionBudgets: how many pods are healthy, must be, and may be disrupted. */

import type { Client } from '../../apimachinery/client.ts';
import { findCondition } from '../../apimachinery/conditions.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { formatLabelSelector, selects } from '../../apimachinery/labels.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../generated/types/policy.v1.ts';
import { conditionIsUpToDate, expectedCondition, setDisruptionAllowed } from '../../resources/policy/disruption.ts';
import {
  type Controller,
  type ControllerContext,
  itself,
  keyOf,
  type ObjectChange,
  type Requeue,
} from '../controller.ts';
import { formatGoSelector } from '../go-selector.ts';
import { timeOf } from '../objects.ts';
import { isPodReady } from '../pods.ts';
import { scaledValue } from '../scaled.ts';
import { expectedScale, NoScaleError } from './scale.ts';

const BUDGETS = 'policy/poddisruptionbudgets';
/** So long an evicted pod counts as going, though nothing has deleted it (`DeletionTimeout`). */
const DELETION_TIMEOUT_MS = 120_000;

/** What of a pod budgets go by. */
const facts = ({ metadata, status }: Pod): unknown[] => [
  metadata.labels,
  metadata.ownerReferences,
  metadata.deletionTimestamp === undefined,
  findCondition(status?.conditions, 'Ready')?.status,
];

/** The budgets that select a pod, as it is or was. */
async function budgetsOf(change: ObjectChange, client: Client): Promise<string[]> {
  const { type, namespace, previous } = change;
  const states = [await change.object(), previous].filter((state) => state !== undefined) as Pod[];
  if (type === 'MODIFIED' && states.length === 2 && deepEqual(facts(states[0] as Pod), facts(states[1] as Pod)))
    return [];
  const { items } = await client.list<PodDisruptionBudget>(BUDGETS, { namespace });
  return items
    .filter(({ spec }) => {
      // Of a deleted pod nothing may be known: all that could miss it look.
      return states.length === 0 || states.some(({ metadata }) => selects(spec?.selector, metadata.labels));
    })
    .map(keyOf);
}

/** Upstream's `disruption-controller`. */
export const disruptionController: Controller = {
  name: 'disruption-controller',
  eventSource: 'controllermanager',
  watches: [
    { resource: BUDGETS, keys: itself },
    { resource: 'core/pods', keys: budgetsOf },
  ],
  async reconcile(client, ref, context) {
    const found = await client.get<PodDisruptionBudget>(BUDGETS, ref.namespace, ref.name);
    if (found === undefined) return;
    const budget = { ...found, apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' };
    const pods = await podsOf(client, budget);
    if (pods.length === 0) context.events.record(budget, 'Normal', 'NoPods', 'No matching pods found');
    try {
      return await sync(client, budget, pods, context);
    } catch (error) {
      if (!(error instanceof NoScaleError)) throw error;
      const why = `Failed to calculate the number of expected pods: ${error.message}`;
      context.events.record(budget, 'Warning', 'CalculateExpectedPodCountFailed', why);
      await failSafe(client, budget, error.message);
      return;
    }
  },
};

async function podsOf(client: Client, { metadata, spec }: PodDisruptionBudget): Promise<Pod[]> {
  const selector = spec?.selector;
  if (selector === undefined) return [];
  const options = { namespace: metadata.namespace ?? '', labelSelector: formatLabelSelector(selector) };
  return (await client.list<Pod>('core/pods', options)).items;
}

/** Upstream's `trySync`. */
async function sync(
  client: Client,
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  context: ControllerContext,
): Promise<Requeue | undefined> {
  const { expected, desiredHealthy, unmanaged } = await expectation(client, budget, pods);
  if (unmanaged.length > 0) {
    const selector = formatGoSelector(budget.spec?.selector);
    const why = `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
    context.events.record(budget, 'Warning', 'UnmanagedPods', why);
  }
  const disruptedPods = stillDisrupted(budget, pods, context);
  const currentHealthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      !Object.hasOwn(disruptedPods, pod.metadata.name) &&
      isPodReady(pod),
  ).length;
  // A budget that has no pods yet lets none go when the first come.
  const disruptionsAllowed = expected <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  await writeStatus(client, budget, {
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    observedGeneration: budget.metadata.generation,
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods: expected,
  });
  const ends = Object.values(disruptedPods).map((time) => timeOf(time) + DELETION_TIMEOUT_MS - context.now());
  return ends.length === 0 ? undefined : { requeueAfterMs: Math.max(0, Math.min(...ends)) + 1 };
}

/** How many pods there should be, and how many of them healthy (`getExpectedPodCount`). */
async function expectation(client: Client, { spec }: PodDisruptionBudget, pods: readonly Pod[]) {
  const { minAvailable, maxUnavailable } = spec ?? {};
  if (maxUnavailable !== undefined) {
    const { expected, unmanaged } = await expectedScale(client, pods);
    const desiredHealthy = Math.max(0, expected - scaledValue(maxUnavailable, expected, true));
    return { expected, desiredHealthy, unmanaged };
  }
  if (typeof minAvailable === 'string') {
    const { expected, unmanaged } = await expectedScale(client, pods);
    return { expected, desiredHealthy: scaledValue(minAvailable, expected, true), unmanaged };
  }
  if (minAvailable === undefined) return { expected: 0, desiredHealthy: 0, unmanaged: [] };
  return { expected: pods.length, desiredHealthy: minAvailable, unmanaged: [] };
}

/** Of the pods whose eviction was granted those that are still there, not being deleted, and may yet be (`buildDisruptedPodMap`). */
function stillDisrupted(
  { metadata, status }: PodDisruptionBudget,
  pods: readonly Pod[],
  context: ControllerContext,
): Record<string, string> {
  const left: [string, string][] = [];
  const granted = new Map(Object.entries(status?.disruptedPods ?? {}));
  for (const pod of pods) {
    const time = granted.get(pod.metadata.name);
    if (time === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    if (timeOf(time) + DELETION_TIMEOUT_MS >= context.now()) {
      left.push([pod.metadata.name, time]);
      continue;
    }
    // Upstream names the namespace twice.
    const why = `Pod was expected by PDB ${metadata.namespace}/${metadata.namespace} to be deleted but it wasn't`;
    context.events.record({ ...pod, apiVersion: 'v1', kind: 'Pod' }, 'Warning', 'NotDeleted', why);
  }
  return Object.fromEntries(left);
}

/** Writes the status where it differs. Throws Conflict when an eviction was granted meanwhile: then all is counted anew. */
async function writeStatus(
  client: Client,
  budget: PodDisruptionBudget,
  counted: PodDisruptionBudgetStatus,
): Promise<void> {
  const { conditions, ...before } = budget.status ?? {};
  if (deepEqual(before, counted) && conditionIsUpToDate(budget)) return;
  const status: PodDisruptionBudgetStatus = { ...counted, ...(conditions === undefined ? {} : { conditions }) };
  setDisruptionAllowed(status, expectedCondition(counted.disruptionsAllowed ?? 0));
  await client.update(BUDGETS, { ...budget, status }, 'status');
}

/** What cannot be worked out allows nothing (`failSafe`). */
async function failSafe(client: Client, budget: PodDisruptionBudget, message: string): Promise<void> {
  const status: PodDisruptionBudgetStatus = { ...budget.status, disruptionsAllowed: 0 };
  setDisruptionAllowed(status, { status: 'False', reason: 'SyncFailed', message });
  if (!deepEqual(status, budget.status)) await client.update(BUDGETS, { ...budget, status }, 'status');
}
