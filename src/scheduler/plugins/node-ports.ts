import { ADD, DELETE, UPDATE_NODE_LABEL } from '../framework/cluster-event.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import { unschedulable } from '../framework/status.ts';

const ANY = '0.0.0.0';
const REFUSED = { ...unschedulable("node(s) didn't have free ports for the requested pod ports"), plugin: 'NodePorts' };

/** NodePorts: no two pods hold one host port; an address of all zeros clashes with every other. */
export const nodePorts: PluginFactory = () => ({
  name: 'NodePorts',
  events: [
    {
      kind: 'pod',
      actions: DELETE,
      hint: ({ info }, before) => clash(info.ask.ports, new Set(before?.ask.ports ?? [])),
    },
    { kind: 'node', actions: ADD | UPDATE_NODE_LABEL },
  ],
  preFilter: (_, { info }) => (info.ask.ports.length === 0 ? 'skip' : undefined),
  filter: (_, { info }, node) => (clash(info.ask.ports, node.ports) ? REFUSED : undefined),
});

interface Held {
  has(port: string): boolean;
  keys(): Iterable<string>;
}

function clash(wanted: readonly string[], held: Held): boolean {
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
