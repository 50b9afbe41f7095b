import type { Plugin } from '../framework/plugin.ts';

const ANY = '0.0.0.0';

/** NodePorts: no two pods hold one host port; an address of all zeros clashes with every other. */
export const nodePorts: Plugin = {
  name: 'NodePorts',
  filter({ info }, node) {
    if (info.ports.length === 0 || !info.ports.some((port) => clashes(port, node.ports))) return undefined;
    return { reasons: ["node(s) didn't have free ports for the requested pod ports"], unresolvable: false };
  },
};

function clashes(wanted: string, held: ReadonlyMap<string, number>): boolean {
  if (held.has(wanted)) return true;
  const [protocol, ip, port] = wanted.split('/');
  if (ip !== ANY) return held.has(`${protocol}/${ANY}/${port}`);
  for (const other of held.keys()) {
    const [otherProtocol, , otherPort] = other.split('/');
    if (otherProtocol === protocol && otherPort === port) return true;
  }
  return false;
}
