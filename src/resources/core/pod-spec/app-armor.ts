/** AppArmor profiles: the annotation of old, and the field that took its place. */
import { deepEqual } from '../../../apimachinery/equal.ts';
import type { AppArmorProfile, Pod, PodSpec } from '../../../generated/types/core.v1.ts';
import { allContainers } from './visit.ts';

/** Before the name of a container. */
export const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

const MAX_PROFILE = 4095;

/** What an annotation's value says as a field; undefined where that cannot be said (`ApparmorFieldForAnnotation`). */
function profileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  if (!annotation.startsWith('localhost/')) return undefined;
  return { type: 'Localhost', localhostProfile: annotation.slice('localhost/'.length) };
}

function isValid({ type, localhostProfile = '' }: AppArmorProfile): boolean {
  if (type !== 'Localhost') return true;
  return (
    localhostProfile.trim() !== '' &&
    localhostProfile.trim() === localhostProfile &&
    localhostProfile.length <= MAX_PROFILE
  );
}

/** What a new pod's annotations say of its containers that its fields do not, in place (`applyAppArmorVersionSkew`). */
export function settleAppArmor({ metadata, spec = {} }: Pod): void {
  if (spec.os?.name === 'windows' || metadata.annotations === undefined) return;
  for (const { container } of allContainers(spec, '')) {
    const annotation = metadata.annotations[APP_ARMOR + (container.name ?? '')];
    if (annotation === undefined || container.securityContext?.appArmorProfile !== undefined) continue;
    const profile = profileOf(annotation);
    if (profile === undefined || !isValid(profile) || deepEqual(profile, spec.securityContext?.appArmorProfile))
      continue;
    container.securityContext = { ...container.securityContext, appArmorProfile: profile };
  }
}

/**
 * Warnings of annotations where the field should be, which are at `path`. Those of a pod (`settled`) have been made fields
 * where they could be.
 */
export function appArmorWarnings(
  annotations: Record<string, string>,
  spec: PodSpec,
  path: string,
  settled: boolean,
): string[] {
  const whole = spec.securityContext?.appArmorProfile;
  const isTold = (annotation: string, own: AppArmorProfile | undefined): boolean => {
    const profile = profileOf(annotation);
    const isCommon = profile !== undefined && deepEqual(profile, whole);
    if (!settled || profile === undefined || !isValid(profile)) return own === undefined && !isCommon;
    return deepEqual(own, profile) && !isCommon;
  };
  return allContainers(spec, '').flatMap(({ container }) => {
    const key = APP_ARMOR + (container.name ?? '');
    const annotation = annotations[key];
    if (annotation === undefined || !isTold(annotation, container.securityContext?.appArmorProfile)) return [];
    return [`${path}[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`];
  });
}
