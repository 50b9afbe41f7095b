/** Ports of the node that pods hold: one at a time (upstream's `NodePorts` predicate). */
import type { ContainerPort, Pod } from '../../src/generated/types/core.v1.ts';

const EVERY_ADDRESS = '0.0.0.0';

/** Whether a pod wants a port that one of the others holds. An address of all zeros clashes with every other. */
export function hostPortsClash(pod: Pod, others: readonly Pod[]): boolean {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return false;
  const held = others.flatMap(hostPorts);
  return wanted.some((port) => held.some((other) => clashes(port, other)));
}

/** Those of init containers that go on count, too. */
function hostPorts({ spec }: Pod): ContainerPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const ports = [...(spec?.containers ?? []), ...sidecars].flatMap((container) => container.ports ?? []);
  return ports.filter(({ hostPort }) => (hostPort ?? 0) > 0);
}

function clashes(a: ContainerPort, b: ContainerPort): boolean {
  if (a.hostPort !== b.hostPort || (a.protocol ?? 'TCP') !== (b.protocol ?? 'TCP')) return false;
  const [ip, other] = [a.hostIP || EVERY_ADDRESS, b.hostIP || EVERY_ADDRESS];
  return ip === other || ip === EVERY_ADDRESS || other === EVERY_ADDRESS;
}
