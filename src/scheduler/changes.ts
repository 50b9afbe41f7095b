/** What a change of a pod or a node amounts to, in the terms of queueing hints. */
import { deepEqual } from '../apimachinery/equal.ts';
import {
  ADD,
  DELETE,
  UPDATE,
  UPDATE_NODE_ALLOCATABLE,
  UPDATE_NODE_ANNOTATION,
  UPDATE_NODE_LABEL,
  UPDATE_NODE_TAINT,
  UPDATE_POD_GATES_ELIMINATED,
  UPDATE_POD_GENERATED_RESOURCE_CLAIM,
  UPDATE_POD_LABEL,
  UPDATE_POD_SCALE_DOWN,
  UPDATE_POD_TOLERATION,
} from './framework/cluster-event.ts';
import type { NodeFacts } from './framework/node-info.ts';
import type { Candidate, PodAsk, PodInfo } from './framework/pod-info.ts';

/** What happened to a node; 0 when it is nothing that matters to scheduling. */
export function nodeActions(before: NodeFacts | undefined, after: NodeFacts | undefined): number {
  if (before === undefined) return after === undefined ? 0 : ADD;
  if (after === undefined) return DELETE;
  let actions = 0;
  if (before.maxPods !== after.maxPods || !deepEqual(before.allocatable, after.allocatable)) {
    actions |= UPDATE_NODE_ALLOCATABLE;
  }
  if (!deepEqual(before.labels, after.labels)) actions |= UPDATE_NODE_LABEL;
  if (before.unschedulable !== after.unschedulable || !deepEqual(before.taints, after.taints)) {
    actions |= UPDATE_NODE_TAINT;
  }
  if (!deepEqual(before.annotations, after.annotations)) actions |= UPDATE_NODE_ANNOTATION;
  return actions;
}

/** What happened to a pod that has a node; 0 when it is nothing that matters to others. */
export function podActions(before: PodInfo | undefined, after: PodInfo | undefined): number {
  if (before === undefined) return after === undefined ? 0 : ADD;
  if (after === undefined) return DELETE;
  let actions = 0;
  if (before.traits !== after.traits && !deepEqual(before.traits.labels, after.traits.labels)) {
    actions |= UPDATE_POD_LABEL;
  }
  if (before.ask !== after.ask && asksLess(before.ask, after.ask)) actions |= UPDATE_POD_SCALE_DOWN;
  return actions;
}

/** What happened to a pod that waits; 0 when nothing changed but what its status says of it. */
export function pendingActions(before: Candidate, after: Candidate): number {
  let actions = 0;
  const [old, now] = [before.pod.spec, after.pod.spec];
  if (!deepEqual(before.pod.metadata.labels, after.pod.metadata.labels)) actions |= UPDATE_POD_LABEL;
  if (asksLess(before.info.ask, after.info.ask)) actions |= UPDATE_POD_SCALE_DOWN;
  if (!deepEqual(old?.tolerations, now?.tolerations)) actions |= UPDATE_POD_TOLERATION;
  if (old?.schedulingGates?.length && !now?.schedulingGates?.length) actions |= UPDATE_POD_GATES_ELIMINATED;
  if (!deepEqual(before.pod.status?.resourceClaimStatuses, after.pod.status?.resourceClaimStatuses)) {
    actions |= UPDATE_POD_GENERATED_RESOURCE_CLAIM;
  }
  if (actions === 0 && before.pod.metadata.generation !== after.pod.metadata.generation) actions |= UPDATE;
  return actions;
}

const asksLess = (before: PodAsk, after: PodAsk): boolean =>
  before.list.some(([name, amount]) => (after.requests[name] ?? 0) < amount);
