import { hostPortsClash } from '../../apimachinery/host-ports.ts';
import { ADD, DELETE, UPDATE_NODE_LABEL } from '../framework/cluster-event.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import { unschedulable } from '../framework/status.ts';

const REFUSED = { ...unschedulable("node(s) didn't have free ports for the requested pod ports"), plugin: 'NodePorts' };

/** NodePorts: no two pods hold one host port; an address of all zeros clashes with every other. */
export const nodePorts: PluginFactory = () => ({
  name: 'NodePorts',
  events: [
    {
      kind: 'pod',
      actions: DELETE,
      hint: ({ info }, before) => hostPortsClash(info.ask.ports, new Set(before?.ask.ports ?? [])),
    },
    { kind: 'node', actions: ADD | UPDATE_NODE_LABEL },
  ],
  preFilter: (_, { info }) => (info.ask.ports.length === 0 ? 'skip' : undefined),
  filter: (_, { info }, node) => (hostPortsClash(info.ask.ports, node.ports) ? REFUSED : undefined),
});
