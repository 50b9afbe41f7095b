/** What an update of `pods/resize` may do: change how much cpu and memory is asked for. */
import { type FieldError, forbiddenField, invalid } from '../../../apimachinery/field.ts';
import type { Container, Pod, PodSpec, ResourceRequirements } from '../../../generated/types/core.v1.ts';
import { structDiff } from '../../validation/go-struct.ts';
import { podSpec } from '../go-types/pod-spec.ts';
import { isMirrorPod } from './annotations.ts';
import { qosClass } from './qos.ts';
import { semanticallyEqual } from './semantic-equal.ts';
import { validatePod } from './validation.ts';

type Containers = readonly Container[];
type Amounts = Record<string, string> | undefined;

const FIELDS = ['containers', 'initContainers'] as const;
const RESIZABLE = ['cpu', 'memory'] as const;

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

/** The old spec with the resources and resize policies of the new one; all other changes are dropped, as upstream does. */
export function keepAllButResources(spec: PodSpec, old: PodSpec): PodSpec {
  const next = { ...old, resources: spec.resources };
  if (spec.resources === undefined) delete next.resources;
  for (const field of FIELDS) {
    next[field] = old[field]?.map((container) => {
      const wanted = spec[field]?.find(({ name }) => name === container.name);
      return wanted === undefined
        ? container
        : { ...container, resources: wanted.resources, resizePolicy: wanted.resizePolicy };
    });
    if (next[field] === undefined) delete next[field];
  }
  return next;
}

/** Whether the node's kubelet is one that reports, and so applies, the resources of running containers. */
function nodeSupportsResize({ status }: Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

function removedErrors(now: ResourceRequirements = {}, old: ResourceRequirements = {}, at: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const half of ['requests', 'limits'] as const) {
    const gone = Object.keys(old[half] ?? {}).some((name) => now[half]?.[name] === undefined);
    if (gone) errors.push(forbiddenField(`${at}.${half}`, `resource ${half} cannot be removed`));
  }
  return errors;
}

/** Amounts with cpu and memory as they were. */
function withOldSize(now: Amounts, old: Amounts): Amounts {
  if (old === undefined) return undefined;
  const amounts = { ...now };
  for (const name of RESIZABLE) {
    const was = old[name];
    if (was === undefined) delete amounts[name];
    else amounts[name] = was;
  }
  return amounts;
}

function withOldSizes(now: ResourceRequirements | undefined, old: ResourceRequirements | undefined) {
  const requests = withOldSize(now?.requests, old?.requests);
  return { ...now, limits: withOldSize(now?.limits, old?.limits), requests };
}

/** Whether nothing but the sizes differs. */
function onlySizesDiffer(now: Container, old: Container): boolean {
  return semanticallyEqual(
    { ...now, resources: withOldSizes(now.resources, old.resources) },
    { ...old, resources: old.resources ?? {} },
  );
}

function containerErrors(now: Containers, old: Containers): FieldError[] {
  const changed = old.filter((was, index) => !onlySizesDiffer(now[index] ?? {}, was));
  return changed.map(() => forbiddenField('spec', 'only cpu and memory resources are mutable'));
}

function initContainerErrors(now: Containers, old: Containers): FieldError[] {
  const errors: FieldError[] = [];
  old.forEach((was, index) => {
    const container = now[index] ?? {};
    if (isSidecar(was)) {
      const detail = 'only cpu and memory resources for sidecar containers are mutable';
      if (!onlySizesDiffer(container, was)) errors.push(forbiddenField('spec', detail));
    } else if (!semanticallyEqual(container, was)) {
      errors.push(forbiddenField('spec', 'resources for non-sidecar init containers are immutable'));
    }
  });
  return errors;
}

/** Errors of an update of `pods/resize` (`ValidatePodResize`); the containers are those of the old pod, in their order. */
export function validatePodResize(pod: Pod, oldPod: Pod): FieldError[] {
  if (isMirrorPod(oldPod)) return [forbiddenField('', 'static pods cannot be resized')];
  const { spec = {} } = pod;
  const { spec: old = {} } = oldPod;
  if (old.os?.name === 'windows') return [forbiddenField('', 'windows pods cannot be resized')];
  const errors = validatePod(pod, oldPod);
  const had = oldPod.status?.qosClass ?? qosClass(old);
  if (qosClass(spec) !== had) {
    errors.push(invalid('spec', had, 'Pod QOS Class may not change as a result of resizing'));
  }
  if (!nodeSupportsResize(oldPod))
    errors.push(forbiddenField('spec', 'Pod running on node without support for resize'));
  for (const field of FIELDS) {
    old[field]?.forEach((was, index) => {
      if (field === 'initContainers' && !isSidecar(was)) return;
      const at = `spec.${field}[${index}].resources`;
      errors.push(...removedErrors(spec[field]?.[index]?.resources, was.resources, at));
    });
  }
  errors.push(...removedErrors(spec.resources, old.resources, 'spec.resources'));
  errors.push(...containerErrors(spec.containers ?? [], old.containers ?? []));
  errors.push(...initContainerErrors(spec.initContainers ?? [], old.initContainers ?? []));
  if (errors.length > 0) return errors;
  const resources = old.resources === undefined ? spec.resources : withOldSizes(spec.resources, old.resources);
  if (!semanticallyEqual(resources, old.resources)) {
    const kept = { ...old, resources };
    const diff = structDiff(podSpec, old, kept);
    errors.push(forbiddenField('spec', `only cpu and memory resources are mutable\n${diff}`));
  }
  return errors;
}
