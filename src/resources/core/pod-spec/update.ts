/** What may change in a pod that exists. */
import { deepEqual } from '../../../apimachinery/equal.ts';
import { type FieldError, forbiddenField, invalid } from '../../../apimachinery/field.ts';
import type { Container, Pod, PodSpec, Toleration } from '../../../generated/types/core.v1.ts';

const UPDATABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function withImagesOf(containers: readonly Container[] | undefined, old: readonly Container[] | undefined) {
  return containers?.map((container, index) => ({ ...container, image: old?.[index]?.image }));
}

function sameLength(list: readonly unknown[] | undefined, old: readonly unknown[] | undefined): boolean {
  return (list?.length ?? 0) === (old?.length ?? 0);
}

function tolerationsKept(list: readonly Toleration[], old: readonly Toleration[], errors: FieldError[]): void {
  const identity = ({ tolerationSeconds: _, ...rest }: Toleration): unknown => rest;
  for (const was of old) {
    if (!list.some((toleration) => deepEqual(identity(toleration), identity(was)))) {
      const detail = 'existing toleration can not be modified except its tolerationSeconds';
      errors.push(forbiddenField('spec.tolerations', detail));
      return;
    }
  }
}

function deadlineShrinks(spec: PodSpec, old: PodSpec, errors: FieldError[]): void {
  const at = 'spec.activeDeadlineSeconds';
  const value = spec.activeDeadlineSeconds;
  if (old.activeDeadlineSeconds === undefined) return;
  if (value === undefined) {
    errors.push(invalid(at, null, 'must not update from a positive integer to nil value'));
  } else if (value > old.activeDeadlineSeconds) {
    errors.push(invalid(at, value, `must be less than or equal to previous value`));
  }
}

function gatesOnlyGo(pod: Pod, old: Pod, errors: FieldError[]): void {
  const had = new Set((old.spec?.schedulingGates ?? []).map((gate) => gate.name));
  const added = (pod.spec?.schedulingGates ?? []).filter((gate) => !had.has(gate.name));
  if (added.length > 0) {
    const names = added.map((gate) => gate.name ?? '').join(', ');
    errors.push(
      forbiddenField('spec.schedulingGates', `only deletion is allowed, but found new scheduling gates '${names}'`),
    );
  }
}

/** Whether the pod waits behind scheduling gates, where more of its spec may still change. */
const isGated = (pod: Pod): boolean => (pod.spec?.schedulingGates?.length ?? 0) > 0;

/** Errors of changes to a pod's spec (`ValidatePodUpdate`). */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const spec = pod.spec ?? {};
  const was = old.spec ?? {};
  if (!sameLength(spec.containers, was.containers)) {
    return [forbiddenField('spec.containers', 'pod updates may not add or remove containers')];
  }
  if (!sameLength(spec.initContainers, was.initContainers)) {
    return [forbiddenField('spec.initContainers', 'pod updates may not add or remove containers')];
  }
  deadlineShrinks(spec, was, errors);
  gatesOnlyGo(pod, old, errors);
  tolerationsKept(spec.tolerations ?? [], was.tolerations ?? [], errors);
  const comparable: PodSpec = {
    ...spec,
    containers: withImagesOf(spec.containers, was.containers) as PodSpec['containers'],
    initContainers: withImagesOf(spec.initContainers, was.initContainers),
    activeDeadlineSeconds: was.activeDeadlineSeconds,
    tolerations: was.tolerations,
    schedulingGates: was.schedulingGates,
  };
  if (was.terminationGracePeriodSeconds !== undefined && was.terminationGracePeriodSeconds < 0) {
    if (spec.terminationGracePeriodSeconds === 1) {
      comparable.terminationGracePeriodSeconds = was.terminationGracePeriodSeconds;
    }
  }
  if (isGated(old)) {
    // The scheduler has not looked yet: a stricter node selector and affinity cannot surprise it.
    const kept = Object.entries(was.nodeSelector ?? {}).every(([key, value]) => spec.nodeSelector?.[key] === value);
    if (kept) comparable.nodeSelector = was.nodeSelector;
    else
      errors.push(
        invalid('spec.nodeSelector', spec.nodeSelector, 'only additions are allowed (no mutations or deletions)'),
      );
    if (spec.affinity?.nodeAffinity !== undefined && was.affinity?.nodeAffinity === undefined) {
      comparable.affinity = was.affinity;
    }
  }
  if (!specsEqual(comparable, was)) errors.push(forbiddenField('spec', UPDATABLE));
  return errors;
}

/** Equality that does not tell an absent field from one that is undefined, nor an absent list from an empty one. */
function specsEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && a.length !== (b as unknown[]).length) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!specsEqual(left[key], right[key])) return false;
  for (const key in right) if (!(key in left) && !isNothing(right[key])) return false;
  return true;
}

const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);

/** Errors of an update of `pods/ephemeralcontainers`: containers may only be added. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const now = pod.spec?.ephemeralContainers ?? [];
  for (const was of old.spec?.ephemeralContainers ?? []) {
    const found = now.find((container) => container.name === was.name);
    if (found === undefined) {
      const detail = `existing ephemeral containers ${JSON.stringify(was.name ?? '')} may not be removed\n`;
      errors.push(forbiddenField('spec.ephemeralContainers', detail));
    } else if (!specsEqual(found, was)) {
      const detail = `existing ephemeral containers ${JSON.stringify(was.name ?? '')} may not be changed\n`;
      errors.push(forbiddenField('spec.ephemeralContainers', detail));
    }
  }
  return errors;
}

const RESIZABLE = new Set(['cpu', 'memory']);

/** Errors of an update of `pods/resize`: only cpu and memory of containers may change, and not the QoS class. */
export function validatePodResize(pod: Pod, old: Pod, qosClass: (spec: PodSpec) => string): FieldError[] {
  const errors: FieldError[] = [];
  const spec = pod.spec ?? {};
  const was = old.spec ?? {};
  if (!sameLength(spec.containers, was.containers)) {
    return [forbiddenField('spec.containers', 'containers may not be added or removed on resize')];
  }
  if (qosClass(spec) !== (old.status?.qosClass ?? qosClass(was))) {
    errors.push(invalid('spec', qosClass(spec), 'Pod QOS Class may not change as a result of resizing'));
  }
  const withOldResources = (list: readonly Container[] | undefined, before: readonly Container[] | undefined) =>
    list?.map((container, index) => ({
      ...container,
      resources: before?.[index]?.resources,
      resizePolicy: before?.[index]?.resizePolicy,
    }));
  for (const [field, list] of [
    ['containers', spec.containers],
    ['initContainers', spec.initContainers],
  ] as const) {
    list?.forEach((container, index) => {
      const before = was[field]?.[index]?.resources as Record<string, Record<string, string>> | undefined;
      const after = container.resources as Record<string, Record<string, string>> | undefined;
      for (const half of ['limits', 'requests'] as const) {
        const names = new Set([...Object.keys(before?.[half] ?? {}), ...Object.keys(after?.[half] ?? {})]);
        for (const name of names) {
          if (RESIZABLE.has(name) || before?.[half]?.[name] === after?.[half]?.[name]) continue;
          const at = `spec.${field}[${index}].resources.${half}`;
          errors.push(forbiddenField(at, 'only cpu and memory resources are mutable'));
        }
      }
    });
  }
  const comparable = {
    ...spec,
    containers: withOldResources(spec.containers, was.containers),
    initContainers: withOldResources(spec.initContainers, was.initContainers),
    resources: was.resources,
  };
  if (!specsEqual(comparable, was)) errors.push(forbiddenField('spec', 'only cpu and memory resources are mutable'));
  return errors;
}
