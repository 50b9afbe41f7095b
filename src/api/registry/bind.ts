/** Puts a pod on a node: the decision behind `pods/binding`, for one pod or in the scheduler's batches. */
import { conflict, notFound, type StatusError } from '../../apimachinery/errors.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Assignment } from '../../durable-objects/rpc.ts';
import type { Pod, PodCondition } from '../../generated/types/core.v1.ts';
import { withResourceVersion } from '../../store/text.ts';
import type { Decide } from '../../store/types.ts';
import { settleObject } from './create.ts';
import { decodeText, encodeStored, splitKey } from './encode.ts';
import { resourceNamed } from './resource-name.ts';

/** Fails with Conflict for a pod that has a node, is being deleted, or is gated, as upstream's `setPodNodeAndMetadata`. */
export function decideBind(assignment: Assignment & { dryRun: boolean }, key: string): Decide {
  const pods = resourceNamed('core/v1/pods');
  const { name } = splitKey(key);
  const refuse = (why: string): StatusError => conflict({ group: '', resource: 'pods/binding' }, name, why);
  return (current) => {
    if (current === undefined) return { do: 'fail', status: notFound(pods, name).status };
    const pod = decodeText<Pod>(current.text);
    const refusal = refusalOf(pod, assignment);
    if (refusal !== undefined) return { do: 'fail', status: refuse(refusal).status };
    const { metadata } = pod;
    if (assignment.labels && Object.keys(assignment.labels).length > 0) {
      metadata.labels = { ...metadata.labels, ...assignment.labels };
    }
    if (assignment.annotations && Object.keys(assignment.annotations).length > 0) {
      metadata.annotations = { ...metadata.annotations, ...assignment.annotations };
    }
    pod.spec = { ...pod.spec, nodeName: assignment.node } as Pod['spec'];
    pod.status = { ...pod.status, conditions: scheduled(pod.status?.conditions ?? []) };
    // The node it has is the one that counts from now on.
    delete pod.status.nominatedNodeName;
    settleObject(pods, pod);
    const encoded = encodeStored(pods, pod);
    if (assignment.dryRun) return { do: 'answer', text: withResourceVersion(encoded.text, current.resourceVersion) };
    return { do: 'write', object: encoded };
  };
}

function refusalOf(pod: Pod, { uid }: Assignment): string | undefined {
  const { metadata, spec } = pod;
  if (uid !== undefined && uid !== '' && uid !== metadata.uid) {
    return `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`;
  }
  if (metadata.deletionTimestamp !== undefined)
    return `pod ${metadata.name} is being deleted, cannot be assigned to a host`;
  if (spec?.nodeName) return `pod ${metadata.name} is already assigned to node "${spec.nodeName}"`;
  if ((spec?.schedulingGates ?? []).length > 0) {
    return `pod ${metadata.name} has non-empty .spec.schedulingGates`;
  }
  return undefined;
}

function scheduled(conditions: PodCondition[]): PodCondition[] {
  const others = conditions.filter((c) => c.type !== 'PodScheduled');
  const condition: PodCondition = {
    type: 'PodScheduled',
    status: 'True',
    lastTransitionTime: now(),
  };
  return [...others, condition];
}
