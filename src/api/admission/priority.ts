/** Priority: a pod's priority is the number behind its class, or behind the class that is everybody's; there is one such class at most. */
import { forbidden } from '../../apimachinery/errors.ts';
import type { Pod, PodSpec } from '../../generated/types/core.v1.ts';
import type { PriorityClass } from '../../generated/types/scheduling.v1.ts';
import type { Requester } from '../context.ts';
import { listed } from './listed.ts';
import { lookUp } from './lookup.ts';
import { type AdmissionPlugin, creates, nameOf, type Operation } from './plugin.ts';

const PODS = { group: '', resource: 'pods' };
const CLASSES = 'scheduling.k8s.io/priorityclasses';
const isPod = creates('pods');
const isClass = ({ resource, subresource }: Operation): boolean =>
  resource.group === 'scheduling.k8s.io' && resource.resource === 'priorityclasses' && subresource === '';

export const priority: AdmissionPlugin = {
  name: 'Priority',
  handles: (operation) => isPod(operation) || isClass(operation),
  admit(attributes) {
    if (!isPod(attributes)) return;
    const pod = attributes.object as Pod;
    const name = pod.spec?.priorityClassName;
    const found = name ? lookUp<PriorityClass>(attributes.context, CLASSES, name) : defaultClass(attributes.context);
    if (found instanceof Promise) return found.then((loaded) => prioritize(pod, loaded));
    prioritize(pod, found);
  },
  validate(attributes) {
    const { context, resource, operation, object } = attributes;
    if (!isClass(attributes) || (object as PriorityClass).globalDefault !== true) return;
    const { name } = object.metadata;
    return Promise.resolve(defaultClass(context)).then((known) => {
      if (known === undefined || (operation === 'UPDATE' && known.metadata.name === name)) return;
      const only = `PriorityClass ${known.metadata.name} is already marked as default. Only one default can exist`;
      throw forbidden(resource, name, only);
    });
  },
};

/** The class of pods that name none: of several, which a race may leave, the one with the lowest number. */
function defaultClass(context: Requester): PriorityClass | undefined | Promise<PriorityClass | undefined> {
  const lowest = (classes: readonly PriorityClass[]): PriorityClass | undefined =>
    classes
      .filter(({ globalDefault }) => globalDefault === true)
      .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))
      .at(0);
  const classes = listed<PriorityClass>(context, CLASSES, '');
  return classes instanceof Promise ? classes.then(lowest) : lowest(classes);
}

function prioritize(pod: Pod, found: PriorityClass | undefined): void {
  const spec = pod.spec as PodSpec;
  const refuse = (why: string) => forbidden(PODS, nameOf(pod), why);
  if (found === undefined && spec.priorityClassName) {
    throw refuse(`no PriorityClass with name ${spec.priorityClassName} was found`);
  }
  if (found !== undefined) spec.priorityClassName = found.metadata.name;
  const value = found?.value ?? 0;
  const policy = found === undefined ? 'PreemptLowerPriority' : found.preemptionPolicy;
  const computed = (what: string, given: unknown, instead: unknown): string =>
    `the ${what} (${given}) must not be provided in pod spec; priority admission controller computed ${instead} from the given PriorityClass name`;
  if (spec.priority !== undefined && spec.priority !== value) {
    throw refuse(computed('integer value of priority', spec.priority, value));
  }
  spec.priority = value;
  if (policy === undefined) return;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    throw refuse(computed('string value of PreemptionPolicy', spec.preemptionPolicy, policy));
  }
  spec.preemptionPolicy = policy;
}
