/** Pod templates, as all workloads hold them. */
import { type FieldError, forbiddenField, invalid, required } from '../../apimachinery/field.ts';
import { type LabelSelector, selects, selectsEverything } from '../../apimachinery/labels.ts';
import type { ObjectMeta } from '../../apimachinery/meta.ts';
import { validateAnnotations } from '../../apimachinery/validation/meta.ts';
import type { PodSpec, PodTemplateSpec } from '../../generated/types/core.v1.ts';
import { labels } from '../validation/formats.ts';
import { immutable, unsupported } from '../validation/rules.ts';
import { labelSelector } from '../validation/selectors.ts';
import { annotationErrors } from './pod-spec/annotations.ts';
import { defaultPodSpec } from './pod-spec/defaults.ts';
import { validatePodSpec } from './pod-spec/validation.ts';

/** Fills in the template of a workload's spec, in place. */
export function defaultPodTemplate(owner: { template?: PodTemplateSpec }): void {
  // Go holds the metadata by value: a template without any says the same as one with none in it.
  owner.template = { metadata: {} as ObjectMeta, ...owner.template };
  owner.template.spec ??= {} as PodSpec;
  defaultPodSpec(owner.template.spec);
}

/** Errors of a template's metadata; labels and annotations are reported beside `metadata`, as upstream does. */
export function validateTemplateMetadata(template: PodTemplateSpec, path: string, errors: FieldError[]): void {
  const { metadata, spec = {} } = template;
  const at = `${path}.annotations`;
  labels(metadata?.labels, `${path}.labels`, errors);
  errors.push(...validateAnnotations(metadata?.annotations, at), ...annotationErrors(metadata?.annotations, spec, at));
}

/** Errors of a template (`ValidatePodTemplateSpec`). */
export function validatePodTemplate(
  template: PodTemplateSpec | undefined = {},
  path: string,
  errors: FieldError[],
): void {
  validateTemplateMetadata(template, path, errors);
  validatePodSpec(template.spec ?? {}, '', `${path}.spec`, errors);
  if (template.spec?.ephemeralContainers?.length) {
    errors.push(forbiddenField(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
}

/** Errors of a template whose pods must run for ever (`ValidatePodTemplateSpecForReplicaSet`). */
export function validateLongRunningTemplate(
  template: PodTemplateSpec | undefined,
  path: string,
  errors: FieldError[],
  kind = 'ReplicaSet',
): void {
  validatePodTemplate(template, path, errors);
  const policy = template?.spec?.restartPolicy;
  if (policy !== undefined && policy !== 'Always') {
    errors.push(unsupported(`${path}.spec.restartPolicy`, policy, ['Always']));
  }
  const deadline = template?.spec?.activeDeadlineSeconds;
  if (deadline !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push({
      type: 'FieldValueForbidden',
      field: `${path}.spec.activeDeadlineSeconds`,
      body: `Forbidden: ${detail}`,
    });
  }
}

/** How kinds differ in what they say of a selector. */
export interface SelectorTexts {
  /** How the message of an empty selector names the kind. */
  kind: string;
  /** What is said of a selector with errors besides those errors; undefined: nothing. */
  malformed?: string;
  /** Whether a selector that is absent is said to be required. */
  required: boolean;
}

/** A selector as messages print it: without empty parts. */
export function shownSelector(selector: LabelSelector | undefined): unknown {
  if (selector === undefined) return null;
  const { matchLabels, matchExpressions } = selector;
  return {
    ...(Object.keys(matchLabels ?? {}).length > 0 ? { matchLabels } : {}),
    ...(matchExpressions?.length
      ? {
          matchExpressions: matchExpressions.map(({ key = '', operator = '', values }) => ({
            key,
            operator,
            ...(values?.length ? { values } : {}),
          })),
        }
      : {}),
  };
}

/** Errors of the selector of a workload: it must be there, select something, and match the template's labels. */
export function validateWorkloadSelector(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
  texts: SelectorTexts,
  errors: FieldError[],
): void {
  const at = 'spec.selector';
  if (selector === undefined && texts.required) errors.push(required(at));
  const before = errors.length;
  labelSelector(selector, at, errors);
  if (errors.length > before) {
    if (texts.malformed !== undefined) errors.push(invalid(at, shownSelector(selector), texts.malformed));
    return;
  }
  if (selectsEverything(selector)) {
    errors.push(invalid(at, shownSelector(selector), `empty selector is invalid for ${texts.kind}`));
    return;
  }
  const labels = template?.metadata?.labels;
  if (!selects(selector, labels)) {
    errors.push(
      invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'),
    );
  }
}

/** The error of a selector that changes after all. */
export function selectorIsImmutable(
  selector: LabelSelector | undefined,
  old: LabelSelector | undefined,
  errors: FieldError[],
): void {
  immutable(shownSelector(selector), shownSelector(old), 'spec.selector', errors);
}
