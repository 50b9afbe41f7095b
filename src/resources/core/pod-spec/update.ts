/** What may change in a pod that exists. */
import { type FieldError, forbiddenField, invalid, required } from '../../../apimachinery/field.ts';
import type { Container, Pod, PodSpec, Toleration } from '../../../generated/types/core.v1.ts';
import { structDiff } from '../../validation/go-struct.ts';
import { podSpec } from '../go-types/pod-spec.ts';
import { annotationUpdateErrors } from './annotations.ts';
import { withoutGatedChanges } from './gated.ts';
import { tolerations } from './scheduling.ts';
import { semanticallyEqual } from './semantic-equal.ts';
import { validatePod } from './validation.ts';

const UPDATABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

type Containers = readonly Container[] | undefined;

/** Whether the containers are still as many; an image is checked here too, on top of what every pod is held to. */
function containersKept(list: Containers = [], old: Containers = [], at: string, errors: FieldError[]): boolean {
  if (list.length !== old.length) {
    errors.push(forbiddenField(at, 'pod updates may not add or remove containers'));
    return false;
  }
  list.forEach(({ image = '' }, index) => {
    const path = `${at}[${index}].image`;
    if (image === '') errors.push(required(path));
    if (image.trim() !== image) errors.push(invalid(path, image, 'must not have leading or trailing whitespace'));
  });
  return true;
}

/** Whether a deadline that is set is in range and no later than before. */
function deadlineShrinks(value: number | undefined, old: number | undefined, errors: FieldError[]): boolean {
  const at = 'spec.activeDeadlineSeconds';
  if (value === undefined) {
    if (old !== undefined) errors.push(invalid(at, null, 'must not update from a positive integer to nil value'));
    return true;
  }
  if (value < 0 || value > 2147483647) {
    errors.push(invalid(at, value, 'must be between 0 and 2147483647, inclusive'));
    return false;
  }
  if (old === undefined || value <= old) return true;
  errors.push(invalid(at, value, 'must be less than or equal to previous value'));
  return false;
}

function tolerationsKept(list: readonly Toleration[], old: readonly Toleration[], errors: FieldError[]): void {
  const at = 'spec.tolerations';
  const identity = ({ tolerationSeconds: _, ...rest }: Toleration): unknown => rest;
  const gone = old.some((was) => !list.some((toleration) => semanticallyEqual(identity(toleration), identity(was))));
  if (gone) errors.push(forbiddenField(at, 'existing toleration can not be modified except its tolerationSeconds'));
  else tolerations(list, at, errors);
}

function gatesOnlyGo(spec: PodSpec, old: PodSpec, errors: FieldError[]): void {
  const had = new Set((old.schedulingGates ?? []).map((gate) => gate.name));
  spec.schedulingGates?.forEach(({ name = '' }, index) => {
    if (had.has(name)) return;
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    errors.push(forbiddenField(`spec.schedulingGates[${index}].name`, detail));
  });
}

const withImagesOf = (containers: Containers, old: Containers) =>
  containers?.map((container, index) => ({ ...container, image: old?.[index]?.image }) as Container);

/** The spec with the fields that may change as they were. */
function withoutAllowedChanges(spec: PodSpec, old: PodSpec): PodSpec {
  const { terminationGracePeriodSeconds: grace } = old;
  const kept: PodSpec = {
    ...spec,
    containers: withImagesOf(spec.containers, old.containers),
    initContainers: withImagesOf(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    tolerations: old.tolerations,
    schedulingGates: old.schedulingGates,
  };
  if (grace !== undefined && grace < 0 && spec.terminationGracePeriodSeconds === 1) {
    kept.terminationGracePeriodSeconds = grace;
  }
  return kept;
}

/** Errors of a pod that was changed, and of the change (`ValidatePodUpdate`). */
export function validatePodUpdate(pod: Pod, oldPod: Pod): FieldError[] {
  const { spec = {} } = pod;
  const { spec: old = {} } = oldPod;
  const errors = [...validatePod(pod, oldPod), ...annotationUpdateErrors(pod, oldPod)];
  if (!containersKept(spec.containers, old.containers, 'spec.containers', errors)) return errors;
  if (!containersKept(spec.initContainers, old.initContainers, 'spec.initContainers', errors)) return errors;
  if (!deadlineShrinks(spec.activeDeadlineSeconds, old.activeDeadlineSeconds, errors)) return errors;
  tolerationsKept(spec.tolerations ?? [], old.tolerations ?? [], errors);
  gatesOnlyGo(spec, old, errors);
  let kept = withoutAllowedChanges(spec, old);
  if ((old.schedulingGates?.length ?? 0) > 0) kept = withoutGatedChanges(kept, old, errors);
  if (!semanticallyEqual(kept, old)) {
    errors.push(forbiddenField('spec', `${UPDATABLE}\n${structDiff(podSpec, old, kept)}`));
  }
  return errors;
}
