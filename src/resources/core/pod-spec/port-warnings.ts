/** Warnings about ports that containers of a pod define more than once. */
import type { ContainerPort, PodSpec } from '../../../generated/types/core.v1.ts';

interface Defined {
  at: string;
  port: ContainerPort;
}

/** A text for each port that meets one defined before; `path` is where the spec is. */
export function portWarnings(spec: PodSpec, path: string): string[] {
  const known = new Map<string, Defined[]>();
  const warnings: string[] = [];
  for (const kind of ['initContainers', 'containers'] as const) {
    spec[kind]?.forEach(({ ports }, index) => {
      ports?.forEach((port, position) => {
        const at = `${path}.${kind}[${index}].ports[${position}]`;
        const key = `${port.containerPort}/${port.protocol}`;
        const others = known.get(key) ?? [];
        for (const other of others) {
          const relation = relationOf(port, other.port);
          if (relation !== undefined) warnings.push(`${at}: ${relation} port definition with ${other.at}`);
        }
        known.set(key, [...others, { at, port }]);
      });
    });
  }
  return warnings;
}

/** How upstream calls what two definitions of one port have to do with each other. */
function relationOf(a: ContainerPort, b: ContainerPort): string | undefined {
  const [aIP, bIP] = [a.hostIP ?? '', b.hostIP ?? ''];
  const [aPort, bPort] = [a.hostPort ?? 0, b.hostPort ?? 0];
  if (aIP === bIP && aPort === bPort) return 'duplicate';
  if (aPort === 0 || bPort === 0) return 'overlapping';
  return aPort === bPort && (aIP === '') !== (bIP === '') ? 'dangerously ambiguous' : undefined;
}
