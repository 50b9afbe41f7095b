import type { FieldError } from '../../apimachinery/field.ts';
import type { ReplicaSet, ReplicaSetSpec } from '../../generated/types/apps.v1.ts';
import { workloadWarnings } from '../core/pod-spec/warnings.ts';
import {
  defaultPodTemplate,
  type SelectorTexts,
  selectorIsImmutable,
  validateLongRunningTemplate,
  validateWorkloadSelector,
} from '../core/pod-template.ts';
import { scaleSubresource, statusSubresource } from '../group.ts';
import { keep, keepAllButStatus, withStatusFields } from '../strategies.ts';
import { fields, nonNegative } from '../validation/rules.ts';
import { REPLICA_SET_STATUS, withStatusRules } from '../validation/workload-status.ts';
import { apps } from './group.ts';

const numbers = fields<ReplicaSetSpec>({ replicas: nonNegative, minReadySeconds: nonNegative });

/** The word is upstream's for both kinds. */
const SELECTOR: SelectorTexts = { kind: 'deployment', malformed: 'invalid label selector', required: true };

function validate({ spec = {} as ReplicaSetSpec }: ReplicaSet): FieldError[] {
  const errors: FieldError[] = [];
  numbers(spec, 'spec', errors);
  validateWorkloadSelector(spec.selector, spec.template, SELECTOR, errors);
  validateLongRunningTemplate(spec.template, 'spec.template', errors);
  return errors;
}

const STATUS_FIELDS = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'terminatingReplicas',
  'observedGeneration',
  'conditions',
];

/** ReplicaSets. */
export const replicaSet = apps<ReplicaSet>({
  resource: 'replicasets',
  kind: 'ReplicaSet',
  namespaced: true,
  shortNames: ['rs'],
  categories: ['all'],
  subresources: [
    scaleSubresource,
    statusSubresource(
      'ReplicaSet',
      withStatusRules(withStatusFields(keepAllButStatus(), STATUS_FIELDS), REPLICA_SET_STATUS),
    ),
  ],
  strategy: {
    metadataChecks: [0, 1],
    default(replicaSet) {
      replicaSet.spec ??= {} as ReplicaSetSpec;
      replicaSet.spec.replicas ??= 1;
      defaultPodTemplate(replicaSet.spec);
    },
    prepareForCreate(replicaSet) {
      replicaSet.status = { replicas: 0 };
    },
    prepareForUpdate(replicaSet, old) {
      keep(replicaSet, old, 'status');
    },
    validate,
    validateUpdate(replicaSet, old) {
      const errors = validate(replicaSet);
      selectorIsImmutable(replicaSet.spec?.selector, old.spec?.selector, errors);
      return errors;
    },
    warnings: (replicaSet, old) => workloadWarnings(replicaSet, old, replicaSet.spec?.template),
  },
});
