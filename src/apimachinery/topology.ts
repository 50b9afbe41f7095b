/** Where a node is, as its labels say. */
const REGION = 'topology.kubernetes.io/region';
const ZONE = 'topology.kubernetes.io/zone';

/** The labels by which pods know where they run: those that upstream's PodTopologyLabels takes over from their node. */
export function topologyLabels(labels: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => key === REGION || key === ZONE));
}
