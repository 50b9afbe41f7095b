import { type FieldError, forbiddenField } from '../../apimachinery/field.ts';
import type { PriorityClass } from '../../generated/types/scheduling.v1.ts';
import { groupVersion } from '../group.ts';
import type { Resource } from '../resource.ts';
import { immutable, oneOf, required as requiredRule } from '../validation/rules.ts';

const scheduling = groupVersion('scheduling.k8s.io', 'v1');

const HIGHEST_USER_PRIORITY = 1000000000;
const SYSTEM_CLASSES: Record<string, number> = {
  'system-node-critical': 2000001000,
  'system-cluster-critical': 2000000000,
};

/** What a system class is not as it must be (`IsKnownSystemPriorityClass`). */
function systemProblem({ metadata: { name }, value = 0, globalDefault = false }: PriorityClass): string | undefined {
  const known = SYSTEM_CLASSES[name];
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

const whyKept = (name: string): string | undefined =>
  Object.hasOwn(SYSTEM_CLASSES, name) ? 'this is a system priority class and cannot be deleted' : undefined;

function validate(priorityClass: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const name = priorityClass.metadata.name ?? '';
  const value = priorityClass.value ?? 0;
  if (name.startsWith('system-')) {
    const problem = systemProblem(priorityClass);
    if (problem !== undefined) {
      const detail = "priority class names with 'system-' prefix are reserved for system use only. error: ";
      errors.push(forbiddenField('metadata.name', detail + problem));
    }
  } else if (value > HIGHEST_USER_PRIORITY) {
    const detail = `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`;
    errors.push(forbiddenField('value', detail));
  }
  requiredRule<string>(oneOf('PreemptLowerPriority', 'Never'))(
    priorityClass.preemptionPolicy,
    'preemptionPolicy',
    errors,
  );
  return errors;
}

/** The resources of the group `scheduling.k8s.io`. */
export const schedulingResources: readonly Resource[] = [
  scheduling<PriorityClass>({
    resource: 'priorityclasses',
    kind: 'PriorityClass',
    namespaced: false,
    shortNames: ['pc'],
    strategy: {
      metadataChecks: [0, 1],
      whyKept,
      // It starts at 1, and nothing that counts may change.
      generation: false,
      prepareForCreate(priorityClass) {
        priorityClass.metadata.generation = 1;
      },
      default(priorityClass) {
        priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
      },
      validate,
      validateUpdate(priorityClass, old) {
        const errors: FieldError[] = [];
        if ((priorityClass.value ?? 0) !== (old.value ?? 0)) {
          errors.push(forbiddenField('value', 'may not be changed in an update.'));
        }
        immutable(priorityClass.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy', errors);
        return errors;
      },
    },
  }),
];
