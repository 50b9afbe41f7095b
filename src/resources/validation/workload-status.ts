/** What the statuses of workloads may say: numbers that are possible together. */
import { type FieldError, invalid } from '../../apimachinery/field.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { SubresourceStrategy } from '../resource.ts';

type Numbers = Readonly<Record<string, unknown>>;

interface StatusRules {
  /** Fields that may not be negative. */
  counts: readonly string[];
  /** Pairs of which the first may not be greater than the second, and how messages name that one. */
  atMost?: readonly (readonly [field: string, limit: string, name: string])[];
}

const numberOf = (status: Numbers, field: string): number => {
  const value = status[field];
  return typeof value === 'number' ? value : 0;
};

function statusErrors(status: Numbers, old: Numbers, { counts, atMost = [] }: StatusRules): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (field: string, detail: string): void => {
    errors.push(invalid(`status.${field}`, numberOf(status, field), detail));
  };
  for (const field of counts) {
    if (numberOf(status, field) < 0) refuse(field, 'must be greater than or equal to 0');
  }
  for (const [field, limit, name] of atMost) {
    if (numberOf(status, field) > numberOf(status, limit)) refuse(field, `cannot be greater than ${name}`);
  }
  // Names of what was made are told apart by it: a smaller one would be taken.
  const [now, was] = [status['collisionCount'], old['collisionCount']];
  if (typeof was === 'number' && (typeof now !== 'number' || now < was))
    refuse('collisionCount', 'cannot be decremented');
  return errors;
}

/** The same strategy with the rules of upstream's `Validate…StatusUpdate`. */
export function withStatusRules<T extends KubeObject>(
  strategy: SubresourceStrategy<T>,
  rules: StatusRules,
): SubresourceStrategy<T> {
  return {
    ...strategy,
    validateUpdate: ({ status = {} }: T & { status?: Numbers }, { status: old = {} }: T & { status?: Numbers }) =>
      statusErrors(status, old, rules),
  };
}

const REPLICAS = ['replicas', 'status.replicas'] as const;

/** `ValidateReplicaSetStatus`; that of ReplicationControllers is the same. */
export const REPLICA_SET_STATUS: StatusRules = {
  counts: [
    'replicas',
    'fullyLabeledReplicas',
    'readyReplicas',
    'availableReplicas',
    'terminatingReplicas',
    'observedGeneration',
  ],
  atMost: [
    ['fullyLabeledReplicas', ...REPLICAS],
    ['readyReplicas', ...REPLICAS],
    ['availableReplicas', ...REPLICAS],
    ['availableReplicas', 'readyReplicas', 'readyReplicas'],
  ],
};

/** `ValidateDeploymentStatus`. */
export const DEPLOYMENT_STATUS: StatusRules = {
  counts: [
    'observedGeneration',
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'unavailableReplicas',
    'terminatingReplicas',
    'collisionCount',
  ],
  atMost: [
    ['updatedReplicas', ...REPLICAS],
    ['readyReplicas', ...REPLICAS],
    ['availableReplicas', ...REPLICAS],
    ['availableReplicas', 'readyReplicas', 'readyReplicas'],
  ],
};

/** `ValidateStatefulSetStatus`. */
export const STATEFUL_SET_STATUS: StatusRules = {
  counts: [
    'replicas',
    'readyReplicas',
    'currentReplicas',
    'updatedReplicas',
    'availableReplicas',
    'observedGeneration',
    'collisionCount',
  ],
  atMost: [
    ['readyReplicas', ...REPLICAS],
    ['currentReplicas', ...REPLICAS],
    ['updatedReplicas', ...REPLICAS],
    ['availableReplicas', ...REPLICAS],
    ['availableReplicas', 'readyReplicas', 'status.readyReplicas'],
  ],
};

/** `validateDaemonSetStatus`. */
export const DAEMON_SET_STATUS: StatusRules = {
  counts: [
    'currentNumberScheduled',
    'numberMisscheduled',
    'desiredNumberScheduled',
    'numberReady',
    'observedGeneration',
    'updatedNumberScheduled',
    'numberAvailable',
    'numberUnavailable',
    'collisionCount',
  ],
};
