import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import { subdomainName } from '../../apimachinery/validation/object-names.ts';
import type { ReplicationController, ReplicationControllerSpec } from '../../generated/types/core.v1.ts';
import { scaleSubresource, statusSubresource } from '../group.ts';
import { keep, keepAllButStatus } from '../strategies.ts';
import { fields, nonNegative } from '../validation/rules.ts';
import { REPLICA_SET_STATUS, withStatusRules } from '../validation/workload-status.ts';
import { core } from './group.ts';
import { workloadWarnings } from './pod-spec/warnings.ts';
import { defaultPodTemplate, validateLongRunningTemplate } from './pod-template.ts';

const numbers = fields<ReplicationControllerSpec>({ replicas: nonNegative, minReadySeconds: nonNegative });
const hasAny = (map: object | undefined): boolean => Object.keys(map ?? {}).length > 0;

function validate({ spec = {} }: ReplicationController): FieldError[] {
  const errors: FieldError[] = [];
  numbers(spec, 'spec', errors);
  if (!hasAny(spec.selector)) errors.push(required('spec.selector'));
  if (spec.template === undefined) {
    errors.push(required('spec.template'));
    return errors;
  }
  const labels = spec.template.metadata?.labels;
  const selector = Object.entries(spec.selector ?? {});
  if (selector.length > 0 && !selector.every(([key, value]) => labels?.[key] === value)) {
    errors.push(
      invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'),
    );
  }
  validateLongRunningTemplate(spec.template, 'spec.template', errors, 'ReplicationController');
  return errors;
}

/** ReplicationControllers. */
export const replicationController = core<ReplicationController>({
  resource: 'replicationcontrollers',
  kind: 'ReplicationController',
  namespaced: true,
  shortNames: ['rc'],
  categories: ['all'],
  subresources: [
    scaleSubresource,
    statusSubresource('ReplicationController', withStatusRules(keepAllButStatus(), REPLICA_SET_STATUS)),
  ],
  strategy: {
    orphansDependents: true,
    metadataChecks: [0, 1],
    // A kind whose name is checked by rules in its schema, which count bytes and do not look at what it was made of.
    nameErrors: (name, prefix) =>
      prefix ? [] : subdomainName(name, prefix).map((problem) => problem.replace(/ characters$/, ' bytes')),
    default(controller) {
      controller.spec ??= {};
      const { spec } = controller;
      spec.replicas ??= 1;
      if (spec.template === undefined) return;
      const labels = spec.template.metadata?.labels;
      if (labels !== undefined) {
        if (!hasAny(spec.selector)) spec.selector = { ...labels };
        if (!hasAny(controller.metadata.labels)) controller.metadata.labels = { ...labels };
      }
      defaultPodTemplate(spec);
    },
    prepareForCreate(controller) {
      controller.status = { replicas: 0 };
    },
    prepareForUpdate(controller, old) {
      keep(controller, old, 'status');
    },
    validate,
    // Of a change upstream looks at what the template was.
    warnings: (controller, old) => workloadWarnings(controller, old, (old ?? controller).spec?.template),
  },
  selectableFields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
});
