/** Ports of a node that pods hold: one pod at a time (upstream's `NodePorts`). */

/** As much of a pod as is looked at. */
interface Ported {
  spec?: { containers?: readonly Container[]; initContainers?: readonly Container[] } | undefined;
}

interface Container {
  restartPolicy?: string;
  ports?: readonly { hostPort?: number; hostIP?: string; protocol?: string }[] | undefined;
}

const ANY = '0.0.0.0';

/** Host ports of a pod's containers and sidecars, as `protocol/address/port`. */
export function hostPorts({ spec }: Ported): string[] {
  const sidecars = (spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  return [...(spec?.containers ?? []), ...sidecars].flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => (port.hostPort ?? 0) > 0)
      .map((port) => `${port.protocol ?? 'TCP'}/${port.hostIP || ANY}/${port.hostPort}`),
  );
}

/** Host ports that are held. */
export interface Held {
  has(port: string): boolean;
  keys(): Iterable<string>;
}

/** Whether one of the ports is held already; an address of all zeros clashes with every other. */
export function hostPortsClash(wanted: readonly string[], held: Held): boolean {
  return wanted.some((port) => clashes(port, held));
}

function clashes(wanted: string, held: Held): boolean {
  if (held.has(wanted)) return true;
  const [protocol, ip, port] = split(wanted);
  if (ip !== ANY) return held.has(`${protocol}/${ANY}/${port}`);
  for (const other of held.keys()) {
    const [otherProtocol, , otherPort] = split(other);
    if (otherProtocol === protocol && otherPort === port) return true;
  }
  return false;
}

const split = (port: string): string[] => port.split('/');
