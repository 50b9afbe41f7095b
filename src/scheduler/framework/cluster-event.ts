/** What happens in the cluster, and which plugins' pods it may help (`framework.ClusterEvent`, queueing hints). */
import type { ResourceId } from '../../apimachinery/client.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { NodeFacts } from './node-info.ts';
import type { Candidate, PodInfo } from './pod-info.ts';

/** Bits of `ActionType`. */
export const ADD = 1;
export const DELETE = 2;
export const UPDATE_NODE_ALLOCATABLE = 4;
export const UPDATE_NODE_LABEL = 8;
export const UPDATE_NODE_TAINT = 16;
export const UPDATE_NODE_ANNOTATION = 32;
export const UPDATE_POD_LABEL = 64;
/** A pod asks for less than before. */
export const UPDATE_POD_SCALE_DOWN = 128;
export const UPDATE_POD_TOLERATION = 256;
export const UPDATE_POD_GATES_ELIMINATED = 512;
/** Of any object that is neither pod nor node; for those any change not named above. */
export const UPDATE = 1024;
/** A pod's status tells of other claims that were made for it. */
export const UPDATE_POD_GENERATED_RESOURCE_CLAIM = 2048;

/**
 * Something that happened: to a node, to a pod that has a node, to a pod that waits for one, or to any other object.
 * `before` is undefined for what was added, `after` for what was deleted.
 */
export type ClusterChange =
  | { kind: 'node'; actions: number; before?: NodeFacts; after?: NodeFacts }
  | { kind: 'pod'; actions: number; before?: PodInfo; after?: PodInfo }
  | { kind: 'pending'; actions: number; before: Candidate; after: Candidate }
  | { kind: 'object'; actions: number; resource: ResourceId; before?: KubeObject; after?: KubeObject };

/**
 * One kind of event that may make a pod schedulable that the plugin refused. `actions`: bits of what counts.
 * `hint`: whether it may help this pod; without it, it may.
 */
export type EventHint =
  | { kind: 'node'; actions: number; hint?(pod: Candidate, before?: NodeFacts, after?: NodeFacts): boolean }
  | { kind: 'pod'; actions: number; hint?(pod: Candidate, before?: PodInfo, after?: PodInfo): boolean }
  | { kind: 'pending'; actions: number; hint?(before: Candidate, after: Candidate): boolean }
  | {
      kind: 'object';
      resource: ResourceId;
      actions: number;
      hint?(pod: Candidate, before?: KubeObject, after?: KubeObject): boolean;
    };

/** Whether what happened may help a waiting pod, as far as one plugin's hint knows. */
export function helps(hint: EventHint, pod: Candidate, change: ClusterChange): boolean {
  if ((hint.actions & change.actions) === 0) return false;
  if (hint.kind === 'node' && change.kind === 'node') return hint.hint?.(pod, change.before, change.after) ?? true;
  if (hint.kind === 'pod' && change.kind === 'pod') return hint.hint?.(pod, change.before, change.after) ?? true;
  if (hint.kind === 'object' && change.kind === 'object') {
    return hint.resource === change.resource && (hint.hint?.(pod, change.before, change.after) ?? true);
  }
  if (hint.kind === 'pending' && change.kind === 'pending') {
    // A waiting pod's own change; another's is of no use to it.
    return change.before.info.key === pod.info.key && (hint.hint?.(change.before, change.after) ?? true);
  }
  return false;
}
