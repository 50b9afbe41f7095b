import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, forbiddenField, invalid } from '../../apimachinery/field.ts';
import { labelName } from '../../apimachinery/validation/object-names.ts';
import type { StatefulSet, StatefulSetSpec } from '../../generated/types/apps.v1.ts';
import type { PodSpec, PodTemplateSpec } from '../../generated/types/core.v1.ts';
import { claimSpec, claimSpecWarnings } from '../core/claim-spec.ts';
import { templateWarnings } from '../core/pod-spec/warnings.ts';
import {
  defaultPodTemplate,
  type SelectorTexts,
  validateLongRunningTemplate,
  validateTemplateMetadata,
  validateWorkloadSelector,
} from '../core/pod-template.ts';
import { scaleSubresource, statusSubresource } from '../group.ts';
import { keep, keepAllButStatus, withStatusFields } from '../strategies.ts';
import { dns1123Label } from '../validation/formats.ts';
import { nullable, number, pointerTo, struct, text } from '../validation/go-struct.ts';
import { fields, nonNegative, oneOf, optional, present } from '../validation/rules.ts';
import { STATEFUL_SET_STATUS, withStatusRules } from '../validation/workload-status.ts';
import { apps } from './group.ts';

type RetentionPolicy = NonNullable<StatefulSetSpec['persistentVolumeClaimRetentionPolicy']>;

const specFields = fields<StatefulSetSpec>({
  replicas: nonNegative,
  minReadySeconds: nonNegative,
  ordinals: present(fields<{ start?: number }>({ start: nonNegative })),
  persistentVolumeClaimRetentionPolicy: present(
    fields<RetentionPolicy>({ whenDeleted: oneOf('Retain', 'Delete'), whenScaled: oneOf('Retain', 'Delete') }),
  ),
});

const shownRolling = pointerTo(struct({ Partition: number, MaxUnavailable: nullable }));
const shownStrategy = struct({ Type: text, RollingUpdate: shownRolling });

function updateStrategy(strategy: StatefulSetSpec['updateStrategy'], errors: FieldError[]): void {
  const rolling = strategy?.rollingUpdate;
  const at = 'spec.updateStrategy';
  if (strategy?.type === 'RollingUpdate') {
    nonNegative(rolling?.partition, `${at}.rollingUpdate.partition`, errors);
  } else if (strategy?.type !== 'OnDelete') {
    errors.push(invalid(at, shownStrategy(strategy), "must be 'RollingUpdate' or 'OnDelete'"));
  } else if (rolling !== undefined) {
    errors.push(
      invalid(`${at}.rollingUpdate`, shownRolling(rolling), "only allowed for updateStrategy 'RollingUpdate'"),
    );
  }
}

const SELECTOR: SelectorTexts = { kind: 'statefulset', malformed: '', required: true };

function validate({ spec = {} as StatefulSetSpec }: StatefulSet): FieldError[] {
  const errors: FieldError[] = [];
  specFields(spec, 'spec', errors);
  const policy = spec.podManagementPolicy ?? '';
  if (policy !== 'OrderedReady' && policy !== 'Parallel') {
    errors.push(invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  }
  updateStrategy(spec.updateStrategy, errors);
  validateWorkloadSelector(spec.selector, spec.template, SELECTOR, errors);
  validateLongRunningTemplate(withClaimVolumes(spec), 'spec.template', errors, 'StatefulSet');
  // Once more without the claims' volumes: upstream has both checks.
  if (spec.template !== undefined) validateTemplateMetadata(spec.template, 'spec.template', errors);
  return errors;
}

/** The template as its pods will have it: each claim template is a volume, before the template's own. */
function withClaimVolumes({ template: given, volumeClaimTemplates }: StatefulSetSpec): PodTemplateSpec | undefined {
  if (given === undefined) return undefined;
  // The controller sets both.
  const { hostname: _, subdomain: __, ...open } = given.spec ?? ({} as PodSpec);
  const template = { ...given, spec: open as PodSpec };
  if (!volumeClaimTemplates?.length) return template;
  const names = new Set(volumeClaimTemplates.map((claim) => claim.metadata?.name ?? ''));
  const claims = [...names].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  const own = (template.spec?.volumes ?? []).filter((volume) => !names.has(volume.name ?? ''));
  return { ...template, spec: { ...template.spec, volumes: [...claims, ...own] } as PodSpec };
}

function validateCreate(statefulSet: StatefulSet): FieldError[] {
  const errors = validate(statefulSet);
  // Neither can change, so that only a new one is looked at.
  optional<string>(dns1123Label)(statefulSet.spec?.serviceName, 'spec.serviceName', errors);
  statefulSet.spec?.volumeClaimTemplates?.forEach((claim, index) => {
    claimSpec(claim.spec ?? {}, `spec.volumeClaimTemplates[${index}].spec`, errors);
  });
  return errors;
}

const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;
const FIXED_TEXT =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

function fixedPart(spec: StatefulSetSpec | undefined): Record<string, unknown> {
  const rest: Record<string, unknown> = { ...spec };
  for (const field of MUTABLE) delete rest[field];
  return rest;
}

function setDefaults(spec: StatefulSetSpec): void {
  spec.replicas ??= 1;
  spec.podManagementPolicy ||= 'OrderedReady';
  spec.updateStrategy ??= {};
  if (!spec.updateStrategy.type) {
    spec.updateStrategy.type = 'RollingUpdate';
    spec.updateStrategy.rollingUpdate ??= {};
  }
  if (spec.updateStrategy.type === 'RollingUpdate' && spec.updateStrategy.rollingUpdate !== undefined) {
    spec.updateStrategy.rollingUpdate.partition ??= 0;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  spec.revisionHistoryLimit ??= 10;
  for (const claim of spec.volumeClaimTemplates ?? []) {
    // Whatever a client calls it.
    claim.apiVersion = 'v1';
    claim.kind = 'PersistentVolumeClaim';
    claim.spec ??= {};
    claim.spec.volumeMode ??= 'Filesystem';
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
  }
  defaultPodTemplate(spec);
}

/** `maxUnavailable` is behind a feature gate that is off. */
function dropDisabled({ spec }: StatefulSet): void {
  delete spec?.updateStrategy?.rollingUpdate?.maxUnavailable;
}

function warnings(statefulSet: StatefulSet, old: StatefulSet | undefined): string[] {
  const { spec } = statefulSet;
  const texts = templateWarnings(statefulSet, old, spec?.template);
  spec?.volumeClaimTemplates?.forEach((claim, index) => {
    const at = `spec.volumeClaimTemplates[${index}]`;
    // The capital letter is upstream's.
    texts.push(...claimSpecWarnings(claim.spec, old === undefined ? at : `${at}.Spec`));
  });
  if ((spec?.revisionHistoryLimit ?? 0) < 0) {
    const advice = 'a negative value retains all historical revisions; a value >= 0 is recommended';
    texts.push(`spec.revisionHistoryLimit: ${advice}`);
  }
  return texts;
}

const STATUS_FIELDS = [
  'observedGeneration',
  'replicas',
  'readyReplicas',
  'currentReplicas',
  'updatedReplicas',
  'currentRevision',
  'updateRevision',
  'collisionCount',
  'conditions',
  'availableReplicas',
];

/** StatefulSets. */
export const statefulSet = apps<StatefulSet>({
  resource: 'statefulsets',
  kind: 'StatefulSet',
  namespaced: true,
  shortNames: ['sts'],
  categories: ['all'],
  subresources: [
    scaleSubresource,
    statusSubresource(
      'StatefulSet',
      withStatusRules(withStatusFields(keepAllButStatus(), STATUS_FIELDS), STATEFUL_SET_STATUS),
    ),
  ],
  strategy: {
    metadataChecks: [0, 1],
    nameErrors: labelName,
    default(statefulSet) {
      statefulSet.spec ??= {} as StatefulSetSpec;
      setDefaults(statefulSet.spec);
    },
    prepareForCreate(statefulSet) {
      dropDisabled(statefulSet);
      statefulSet.status = { replicas: 0, availableReplicas: 0 };
    },
    prepareForUpdate(statefulSet, old) {
      keep(statefulSet, old, 'status');
      dropDisabled(statefulSet);
    },
    validate: validateCreate,
    validateUpdate(statefulSet, old) {
      const errors = validate(statefulSet);
      if (!deepEqual(fixedPart(statefulSet.spec), fixedPart(old.spec))) {
        errors.push(forbiddenField('spec', FIXED_TEXT));
      }
      return errors;
    },
    warnings,
  },
});
