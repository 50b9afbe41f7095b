/** Where traffic of a Service should stay: hints from `trafficDistribution`, or from the older annotation. Pure. */
import { deepEqual } from '../../apimachinery/equal.ts';
import type { Node, Service } from '../../generated/types/core.v1.ts';
import type { Endpoint, EndpointHints } from '../../generated/types/discovery.v1.ts';
import type { PlannedSlice } from './slices.ts';
import { addTopologyHints, type TopologyEvent } from './topology.ts';

const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode';
const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints';

/** Whether endpoints are to be shared out among zones by the CPUs there. */
export function isTopologyAware({ metadata }: Service): boolean {
  const { annotations = {} } = metadata;
  const mode = annotations[TOPOLOGY_HINTS] ?? annotations[TOPOLOGY_MODE];
  return mode === 'Auto' || mode === 'auto';
}

function closeHints(endpoint: Endpoint, sameNode: boolean): EndpointHints | undefined {
  if (endpoint.conditions?.ready !== true) return;
  const { zone, nodeName } = endpoint;
  const hints: EndpointHints = {
    ...(zone === undefined ? {} : { forZones: [{ name: zone }] }),
    ...(nodeName === undefined || !sameNode ? {} : { forNodes: [{ name: nodeName }] }),
  };
  return Object.keys(hints).length === 0 ? undefined : hints;
}

/** Sets the hints of an address type's slices. Answers events to tell; slices whose hints differ from what is there are `changed`. */
export function setHints(
  service: Service,
  slices: readonly PlannedSlice[],
  nodes: readonly Node[],
  hadHints: boolean,
): TopologyEvent[] {
  if (isTopologyAware(service)) return addTopologyHints(slices, nodes, hadHints);
  const distribution = service.spec?.trafficDistribution ?? '';
  const close = ['PreferClose', 'PreferSameZone', 'PreferSameNode'].includes(distribution);
  for (const slice of slices) {
    slice.endpoints = slice.endpoints.map((endpoint) => {
      const hints = close ? closeHints(endpoint, distribution === 'PreferSameNode') : undefined;
      if (deepEqual(endpoint.hints, hints)) return endpoint;
      slice.changed = true;
      const { hints: _, ...rest } = endpoint;
      return hints === undefined ? rest : { ...rest, hints };
    });
  }
  return [];
}
