/** What an update of `pods/ephemeralcontainers` may do. */
import { type FieldError, forbiddenField } from '../../../apimachinery/field.ts';
import type { Pod } from '../../../generated/types/core.v1.ts';
import { structDiff } from '../../validation/go-struct.ts';
import { ephemeralContainer } from '../go-types/containers.ts';
import { annotationUpdateErrors, isMirrorPod } from './annotations.ts';
import { semanticallyEqual } from './semantic-equal.ts';
import { validatePod } from './validation.ts';

/** Errors of an update of ephemeral containers (`ValidatePodEphemeralContainersUpdate`): they may only be added. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  if (isMirrorPod(old)) return [forbiddenField('', 'static pods do not support ephemeral containers')];
  const errors = [...validatePod(pod, old), ...annotationUpdateErrors(pod, old)];
  const at = 'spec.ephemeralContainers';
  for (const was of old.spec?.ephemeralContainers ?? []) {
    const now = pod.spec?.ephemeralContainers?.find(({ name }) => name === was.name);
    const which = `existing ephemeral containers ${JSON.stringify(was.name ?? '')}`;
    if (now === undefined) {
      errors.push(forbiddenField(at, `${which} may not be removed\n`));
    } else if (!semanticallyEqual(now, was)) {
      const diff = structDiff(ephemeralContainer, was, now);
      errors.push(forbiddenField(at, `${which} may not be changed\n${diff}`));
    }
  }
  return errors;
}
