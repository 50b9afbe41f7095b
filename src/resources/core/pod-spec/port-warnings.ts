/** Warnings about ports that containers of a pod define more than once. */
import type { ContainerPort, PodSpec } from '../../../generated/types/core.v1.ts';
import { allContainers } from './visit.ts';

interface Defined {
  at: string;
  port: ContainerPort;
}

/** A text for each port that meets one defined before, or is half said; `path` is where the spec is. */
export function portWarnings(spec: PodSpec, path: string): string[] {
  const known = new Map<string, Defined[]>();
  const names = new Map<string, string>();
  const warnings: string[] = [];
  const repeated: string[] = [];
  for (const { container, path: where } of allContainers(spec, path)) {
    container.ports?.forEach((port, position) => {
      const at = `${where}.ports[${position}]`;
      if (port.hostIP && !port.hostPort) warnings.push(`${at}: hostIP set without hostPort: ${shown(port)}`);
      const key = `${port.containerPort}/${port.protocol}`;
      const others = known.get(key) ?? [];
      for (const other of others) {
        const relation = relationOf(port, other.port);
        if (relation !== undefined) warnings.push(`${at}: ${relation} port definition with ${other.at}`);
      }
      known.set(key, [...others, { at, port }]);
      if (!port.name) return;
      const first = names.get(port.name);
      if (first === undefined) names.set(port.name, at);
      else {
        const use = `services and probes that select ports by name will use ${first}`;
        repeated.push(`${at}: duplicate port name ${JSON.stringify(port.name)} with ${first}, ${use}`);
      }
    });
  }
  return [...warnings, ...repeated];
}

/** As Go prints the struct. */
const shown = ({ name = '', hostPort = 0, containerPort = 0, protocol = '', hostIP = '' }: ContainerPort): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;

/** How upstream calls what two definitions of one port have to do with each other. */
function relationOf(a: ContainerPort, b: ContainerPort): string | undefined {
  const [aIP, bIP] = [a.hostIP ?? '', b.hostIP ?? ''];
  const [aPort, bPort] = [a.hostPort ?? 0, b.hostPort ?? 0];
  if (aIP === bIP && aPort === bPort) return 'duplicate';
  if (aPort === 0 || bPort === 0) return 'overlapping';
  return aPort === bPort && (aIP === '') !== (bIP === '') ? 'dangerously ambiguous' : undefined;
}
