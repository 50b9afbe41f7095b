/** RuntimeClass: a pod gets the overhead, node selector and tolerations of the class that it runs by. */
import { deepEqual } from '../../apimachinery/equal.ts';
import { forbidden } from '../../apimachinery/errors.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { RuntimeClass } from '../../generated/types/node.v1.ts';
import { lookUp } from './lookup.ts';
import { type AdmissionPlugin, type Attributes, creates, nameOf } from './plugin.ts';

const PODS = { group: '', resource: 'pods' };

export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  handles: creates('pods'),
  admit: (attributes) => withClass(attributes, admit),
  validate: (attributes) => withClass(attributes, checkOverhead),
};

function withClass({ context, object }: Attributes, then: (pod: Pod, found: RuntimeClass | undefined) => void) {
  const pod = object as Pod;
  const name = pod.spec?.runtimeClassName;
  if (name === undefined) return then(pod, undefined);
  const known = (found: RuntimeClass | undefined): void => {
    if (found === undefined) refuse(pod, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
    then(pod, found);
  };
  const found = lookUp<RuntimeClass>(context, 'node.k8s.io/runtimeclasses', name);
  return found instanceof Promise ? found.then(known) : known(found);
}

function refuse(pod: Pod, why: string): never {
  throw forbidden(PODS, nameOf(pod), why);
}

const OTHER = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const NONE = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead';

function checkOverhead(pod: Pod, found: RuntimeClass | undefined): void {
  const own = pod.spec?.overhead;
  const overhead = found?.overhead?.podFixed;
  if (overhead === undefined ? own !== undefined : !deepEqual(own, overhead)) {
    refuse(pod, overhead === undefined ? NONE : OTHER);
  }
}

function admit(pod: Pod, found: RuntimeClass | undefined): void {
  if (found === undefined) return;
  const spec = pod.spec as NonNullable<Pod['spec']>;
  const overhead = found.overhead?.podFixed;
  if (overhead !== undefined) {
    if (Object.keys(spec.overhead ?? {}).length > 0 && !deepEqual(spec.overhead, overhead)) refuse(pod, OTHER);
    spec.overhead = { ...overhead };
  }
  const { nodeSelector = {}, tolerations = [] } = found.scheduling ?? {};
  for (const [key, value] of Object.entries(nodeSelector)) {
    const own = spec.nodeSelector?.[key];
    if (own !== undefined && own !== value) {
      refuse(
        pod,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      );
    }
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
  }
  const present = spec.tolerations ?? [];
  const more = tolerations.filter((toleration) => !present.some((own) => deepEqual(own, toleration)));
  if (more.length > 0) spec.tolerations = [...present, ...more.map((toleration) => ({ ...toleration }))];
}
