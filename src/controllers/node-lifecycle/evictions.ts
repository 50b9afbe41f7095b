/** From which nodes pods are evicted now: in each zone one node after the other, the more slowly the more of it is down. Pure. */
import type { Node } from '../../generated/types/core.v1.ts';
import { timeOf } from '../objects.ts';
import { conditionStatus, evictionTaint, isTroubled } from './taints.ts';

/** Between two nodes of a zone (`--node-eviction-rate`, 0.1 a second). */
const INTERVAL_MS = 10_000;
/** The same in a large zone of which much is down (`--secondary-node-eviction-rate`, 0.01 a second). */
const REDUCED_INTERVAL_MS = 100_000;
/** Up to this number of nodes a zone is not large (`--large-cluster-size-threshold`). */
const LARGE = 50;
/** The part of a zone that is down when much of it is (`--unhealthy-zone-threshold`). */
const UNHEALTHY = 0.55;
const REGION_LABEL = 'topology.kubernetes.io/region';
const ZONE_LABEL = 'topology.kubernetes.io/zone';

export interface Evictions {
  /** Nodes whose pods are to be evicted from now on. */
  start: Node[];
  /** Nodes whose pods are to stay after all. */
  stop: Node[];
  /** Until the next node's turn, in ms. */
  waitMs?: number;
}

const zoneOf = ({ metadata }: Node): string =>
  `${metadata.labels?.[REGION_LABEL] ?? ''}\n${metadata.labels?.[ZONE_LABEL] ?? ''}`;

const isDown = (node: Node): boolean => conditionStatus(node, 'Ready') !== 'True';

/** How long after one node the next may follow; undefined: not at all (`ComputeZoneState` and its rates). */
function intervalOf(zone: readonly Node[]): number | undefined {
  const down = zone.filter(isDown).length;
  const partly = down < zone.length && down > 2 && down / zone.length >= UNHEALTHY;
  if (!partly) return INTERVAL_MS;
  return zone.length > LARGE ? REDUCED_INTERVAL_MS : undefined;
}

/** Decides for all nodes of the cluster. When none at all is ready it is the network that failed, and nothing is evicted. */
export function decideEvictions(nodes: readonly Node[], at: number): Evictions {
  const evictions: Evictions = { start: [], stop: [] };
  if (nodes.every(isDown)) return { ...evictions, stop: nodes.filter((node) => evictionTaint(node) !== undefined) };
  const zones = Map.groupBy(nodes, zoneOf);
  for (const zone of zones.values()) {
    const waiting = zone.filter((node) => isTroubled(node) && evictionTaint(node) === undefined);
    const [next] = waiting;
    const interval = intervalOf(zone);
    if (next === undefined || interval === undefined) continue;
    // The taints themselves say when the last node's turn was.
    const last = Math.max(...zone.map((node) => timeOf(evictionTaint(node)?.timeAdded)));
    const waitMs = Math.max(0, last + interval - at);
    if (waitMs === 0) evictions.start.push(next);
    const following = waitMs > 0 ? waitMs : waiting.length > 1 ? interval : undefined;
    if (following !== undefined) evictions.waitMs = Math.min(evictions.waitMs ?? following, following);
  }
  return evictions;
}
