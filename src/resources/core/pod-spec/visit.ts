/** A walk over all containers of a pod. */
import type { Container, PodSpec } from '../../../generated/types/core.v1.ts';

/** A container and where it is. */
export interface Visited {
  container: Container;
  path: string;
}

/** Init containers, containers, ephemeral ones, in upstream's order (`VisitContainersWithPath`); `path` is where the spec is. */
export function allContainers(spec: PodSpec, path: string): Visited[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((kind) =>
    (spec[kind] ?? []).map((container, index) => ({ container, path: `${path}.${kind}[${index}]` })),
  );
}
