/** Annotations of a pod that mean something to the API server. */
import { type FieldError, forbiddenField, invalid } from '../../../apimachinery/field.ts';
import type { Pod, PodSpec } from '../../../generated/types/core.v1.ts';
import { APP_ARMOR } from './app-armor.ts';

/** On the copy of a static pod that its kubelet shows to the API server. */
const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

/** Whether a pod mirrors a static one. */
export const isMirrorPod = (pod: Pod): boolean => pod.metadata.annotations?.[MIRROR] !== undefined;

/** A 32 bit integer, without a plus sign or leading zeros. */
function isDeletionCost(value: string): boolean {
  if (!/^(0|[1-9]\d*|-\d+)$/.test(value)) return false;
  return Number(value) >= -2147483648 && Number(value) <= 2147483647;
}

const isAppArmorProfile = (value: string): boolean =>
  ['', 'runtime/default', 'unconfined'].includes(value) || value.startsWith('localhost/');

function hasContainer(spec: PodSpec, name: string): boolean {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec;
  return [...containers, ...initContainers, ...ephemeralContainers].some((container) => container.name === name);
}

/** Errors of the annotations of a pod or a template, which are at `path` (`ValidatePodSpecificAnnotations`). */
export function annotationErrors(
  annotations: Record<string, string> = {},
  spec: PodSpec = {},
  path = 'metadata.annotations',
): FieldError[] {
  const at = (key: string): string => `${path}[${key}]`;
  const errors: FieldError[] = [];
  const mirror = annotations[MIRROR];
  if (mirror !== undefined && !spec.nodeName) {
    errors.push(invalid(at(MIRROR), mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  }
  const cost = annotations[DELETION_COST];
  if (cost !== undefined && !isDeletionCost(cost)) {
    errors.push(invalid(at(DELETION_COST), cost, 'must be a 32bit integer'));
  }
  for (const [key, value] of Object.entries(annotations)) {
    if (!key.startsWith(APP_ARMOR)) continue;
    const container = key.slice(APP_ARMOR.length);
    if (!hasContainer(spec, container)) errors.push(invalid(at(key), container, 'container not found'));
    if (!isAppArmorProfile(value)) {
      errors.push(invalid(at(key), value, `invalid AppArmor profile name: ${JSON.stringify(value)}`));
    }
  }
  return errors;
}

/** The annotations that a pod is held to: all but a cost that was wrong before there was a rule. */
export function checkedAnnotations(pod: Pod, old: Pod | undefined): Record<string, string> {
  const { annotations = {} } = pod.metadata;
  const was = old?.metadata.annotations?.[DELETION_COST];
  if (was === undefined || isDeletionCost(was)) return annotations;
  const { [DELETION_COST]: _, ...others } = annotations;
  return others;
}

/** Errors of changes to a pod's annotations, and of those that it has now (`ValidatePodSpecificAnnotationUpdates`). */
export function annotationUpdateErrors(pod: Pod, old: Pod): FieldError[] {
  const now = pod.metadata.annotations ?? {};
  const was = old.metadata.annotations ?? {};
  const errors: FieldError[] = [];
  for (const key of new Set([...Object.keys(was), ...Object.keys(now)])) {
    if (now[key] === was[key]) continue;
    const at = `metadata.annotations[${key}]`;
    const what = key in was ? 'may not remove or update' : 'may not add';
    if (key.startsWith(APP_ARMOR)) errors.push(forbiddenField(at, `${what} AppArmor annotations`));
    if (key === MIRROR) errors.push(forbiddenField(at, `${what} mirror pod annotation`));
  }
  return [...errors, ...annotationErrors(checkedAnnotations(pod, old), pod.spec)];
}
