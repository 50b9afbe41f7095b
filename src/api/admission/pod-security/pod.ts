/** What the checks look at: a pod's spec and its containers of every kind. */
import type { Pod } from '../../../generated/types/core.v1.ts';

export type PodSpec = NonNullable<Pod['spec']>;
export type Container = NonNullable<PodSpec['containers']>[number];

/** Init, ordinary and ephemeral containers, in upstream's order. */
export function containersOf(spec: PodSpec): Container[] {
  return [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as unknown as Container[]),
  ];
}

/** `container "a"`, `containers "a", "b"`. */
export function named(what: string, names: readonly string[]): string {
  return `${what}${names.length === 1 ? '' : 's'} ${quoted(names)}`;
}

export const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ');

/** Names of the containers for which something holds. */
export function containersThat(spec: PodSpec, holds: (container: Container) => boolean): string[] {
  return containersOf(spec)
    .filter(holds)
    .map(({ name = '' }) => name);
}

export const onLinux = (spec: PodSpec): boolean => spec.os?.name !== 'windows';

/** Who of a pod sets something: the pod itself, by its own security context, and containers by theirs. */
export function setters(
  spec: PodSpec,
  sets: (context: NonNullable<Container['securityContext']>) => boolean,
): string[] {
  const names = containersThat(spec, ({ securityContext }) => securityContext !== undefined && sets(securityContext));
  const pod = spec.securityContext !== undefined && sets(spec.securityContext) ? ['pod'] : [];
  return names.length === 0 ? pod : [...pod, named('container', names)];
}
