import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, forbiddenField, invalid, notSupported } from '../../apimachinery/field.ts';
import type { Deployment, DeploymentSpec } from '../../generated/types/apps.v1.ts';
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
import { number, pointerTo, struct, text } from '../validation/go-struct.ts';
import { isZero, validateIntOrPercent } from '../validation/int-or-percent.ts';
import { fields, nonNegative } from '../validation/rules.ts';
import { DEPLOYMENT_STATUS, withStatusRules } from '../validation/workload-status.ts';
import { apps } from './group.ts';

const numbers = fields<DeploymentSpec>({
  replicas: nonNegative,
  minReadySeconds: nonNegative,
  revisionHistoryLimit: nonNegative,
  progressDeadlineSeconds: nonNegative,
});

const shownStrategy = struct({
  Type: text,
  RollingUpdate: pointerTo(struct({ MaxUnavailable: number, MaxSurge: number })),
});

function strategyErrors(strategy: DeploymentSpec['strategy'], errors: FieldError[]): void {
  const at = 'spec.strategy';
  const rolling = strategy?.rollingUpdate;
  const type = strategy?.type ?? '';
  if (type === 'Recreate') {
    if (rolling !== undefined) {
      const detail = "may not be specified when strategy `type` is 'Recreate'";
      errors.push(forbiddenField(`${at}.rollingUpdate`, detail));
    }
  } else if (type !== 'RollingUpdate') {
    errors.push(notSupported(at, shownStrategy(strategy), ['Recreate', 'RollingUpdate']));
  } else if (rolling !== undefined) {
    validateIntOrPercent(rolling.maxUnavailable, `${at}.rollingUpdate.maxUnavailable`, true, errors);
    validateIntOrPercent(rolling.maxSurge, `${at}.rollingUpdate.maxSurge`, false, errors);
    if (isZero(rolling.maxUnavailable) && isZero(rolling.maxSurge)) {
      const detail = 'may not be 0 when `maxSurge` is 0';
      errors.push(invalid(`${at}.rollingUpdate.maxUnavailable`, rolling.maxUnavailable ?? 0, detail));
    }
  }
}

const SELECTOR: SelectorTexts = { kind: 'deployment', malformed: 'invalid label selector', required: true };

function validate({ spec = {} as DeploymentSpec }: Deployment): FieldError[] {
  const errors: FieldError[] = [];
  numbers(spec, 'spec', errors);
  validateWorkloadSelector(spec.selector, spec.template, SELECTOR, errors);
  validateLongRunningTemplate(spec.template, 'spec.template', errors);
  strategyErrors(spec.strategy, errors);
  const deadline = spec.progressDeadlineSeconds;
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
  return errors;
}

function setDefaults(spec: DeploymentSpec): void {
  spec.replicas ??= 1;
  spec.strategy ??= {};
  spec.strategy.type ||= 'RollingUpdate';
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
    spec.strategy.rollingUpdate.maxSurge ??= '25%';
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  defaultPodTemplate(spec);
}

const STATUS_FIELDS = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'conditions',
  'collisionCount',
];

/** Deployments. */
export const deployment = apps<Deployment>({
  resource: 'deployments',
  kind: 'Deployment',
  namespaced: true,
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: [
    scaleSubresource,
    statusSubresource(
      'Deployment',
      withStatusRules(withStatusFields(keepAllButStatus('labels'), STATUS_FIELDS), DEPLOYMENT_STATUS),
    ),
  ],
  strategy: {
    metadataChecks: [0, 1],
    generationChanged: (deployment, old) => !deepEqual(deployment.metadata.annotations, old.metadata.annotations),
    default(deployment) {
      deployment.spec ??= {} as DeploymentSpec;
      setDefaults(deployment.spec);
    },
    prepareForCreate(deployment) {
      deployment.status = {};
    },
    prepareForUpdate(deployment, old) {
      keep(deployment, old, 'status');
    },
    validate,
    validateUpdate(deployment, old) {
      const errors = validate(deployment);
      selectorIsImmutable(deployment.spec?.selector, old.spec?.selector, errors);
      return errors;
    },
    warnings: (deployment, old) => workloadWarnings(deployment, old, deployment.spec?.template),
  },
});
