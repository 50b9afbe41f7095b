/** Priority: a pod's priority is the number behind its class; the two system classes are known everywhere. */
import { forbidden } from '../../apimachinery/errors.ts';
import type { Pod, PodSpec } from '../../generated/types/core.v1.ts';
import type { PriorityClass } from '../../generated/types/scheduling.v1.ts';
import { lookUp } from './lookup.ts';
import { type AdmissionPlugin, creates } from './plugin.ts';

const PODS = { group: '', resource: 'pods' };
const DEFAULT_POLICY = 'PreemptLowerPriority';

export const priority: AdmissionPlugin = {
  name: 'Priority',
  handles: creates('pods'),
  admit({ context, object }) {
    const pod = object as Pod;
    const spec = pod.spec as PodSpec;
    if (!spec.priorityClassName) {
      set(pod, spec, 0, undefined);
      return;
    }
    const found = lookUp<PriorityClass>(context, 'scheduling.k8s.io/priorityclasses', spec.priorityClassName);
    if (found instanceof Promise) return found.then((loaded) => admit(pod, spec, loaded));
    admit(pod, spec, found);
  },
};

function admit(pod: Pod, spec: PodSpec, found: PriorityClass | undefined): void {
  if (found === undefined) {
    throw forbidden(PODS, pod.metadata.name, `no PriorityClass with name ${spec.priorityClassName} was found`);
  }
  set(pod, spec, found.value ?? 0, found.preemptionPolicy);
}

function set(pod: Pod, spec: PodSpec, value: number, preemptionPolicy: string | undefined): void {
  if (spec.priority !== undefined && spec.priority !== value) {
    const why = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
    throw forbidden(PODS, pod.metadata.name, why);
  }
  spec.priority = value;
  spec.preemptionPolicy ??= preemptionPolicy ?? DEFAULT_POLICY;
}
