/** Topology-aware hints (`service.kubernetes.io/topology-mode: Auto`): each zone gets endpoints in proportion to its CPUs. Pure. */
import { toMilli } from '../../apimachinery/quantity.ts';
import type { Node } from '../../generated/types/core.v1.ts';
import type { Endpoint } from '../../generated/types/discovery.v1.ts';
import type { PlannedSlice } from './slices.ts';

/** How much more than its share an endpoint may bear. */
const OVERLOAD = 0.2;
const ZONE = 'topology.kubernetes.io/zone';
const CONTROL_PLANE = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

/** An event about the Service; the message lacks the address type. */
export interface TopologyEvent {
  type: 'Normal' | 'Warning';
  reason: 'TopologyAwareHintsEnabled' | 'TopologyAwareHintsDisabled';
  message: string;
}

interface Allocation {
  minimum: number;
  maximum: number;
  desired: number;
}

const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready === true;
const bump = (counts: Map<string, number>, key: string, by: number): Map<string, number> =>
  counts.set(key, (counts.get(key) ?? 0) + by);

/** The share of each zone in the CPUs of all ready nodes; undefined when a node does not tell, or there is no second zone. */
function cpuRatios(nodes: readonly Node[]): Map<string, number> | undefined {
  const cpus = new Map<string, number>();
  let total = 0;
  for (const { metadata, status } of nodes) {
    if (CONTROL_PLANE.some((label) => metadata.labels?.[label] !== undefined)) continue;
    if (!status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True')) continue;
    const zone = metadata.labels?.[ZONE];
    const cpu = toMilli(status.allocatable?.['cpu'] ?? '0');
    if (!zone || cpu === 0) return;
    bump(cpus, zone, cpu);
    total += cpu;
  }
  if (cpus.size < 2) return;
  return new Map([...cpus].map(([zone, cpu]) => [zone, cpu / total]));
}

/** How many endpoints each zone should have; a message where that cannot be done well. */
function allocate(nodes: readonly Node[], endpoints: number): Map<string, Allocation> | string {
  const ratios = cpuRatios(nodes);
  if (ratios === undefined) {
    return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';
  }
  const counts = `(${endpoints} endpoints, ${ratios.size} zones)`;
  if (ratios.size > endpoints) return `Insufficient number of endpoints ${counts}`;
  const shares = [...ratios].map(([zone, ratio]) => {
    const minimum = Math.ceil((ratio * endpoints) / (1 + OVERLOAD));
    return { zone, minimum, desired: Math.max(ratio * endpoints, minimum) };
  });
  const spare = endpoints - shares.reduce((sum, { minimum }) => sum + minimum, 0);
  if (spare < 0) {
    return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counts}`;
  }
  return new Map(shares.map(({ zone, minimum, desired }) => [zone, { minimum, maximum: minimum + spare, desired }]));
}

/** The hints that an unchanged slice gives to each zone; undefined when they cannot stay. */
function keptHints(
  { endpoints }: PlannedSlice,
  allocated: ReadonlyMap<string, number>,
  allocations: ReadonlyMap<string, Allocation>,
): Map<string, number> | undefined {
  const counts = new Map<string, number>();
  for (const endpoint of endpoints.filter(isReady)) {
    const zones = endpoint.hints?.forZones ?? [];
    if (zones.length === 0) return;
    for (const { name = '' } of zones) bump(counts, name, 1);
  }
  for (const [zone, count] of counts) {
    if (count + (allocated.get(zone) ?? 0) > (allocations.get(zone)?.maximum ?? -1)) return;
  }
  return counts;
}

function most(zones: ReadonlyMap<string, number>): [string, number] {
  let found: [string, number] = ['', 0];
  for (const entry of zones) if (entry[1] > found[1]) found = entry;
  return found;
}

/** How many endpoints each zone gives away, and how many each receives. */
function moves(allocations: ReadonlyMap<string, Allocation>, allocated: ReadonlyMap<string, number>) {
  const surplus = new Map<string, number>();
  const lack = new Map<string, number>();
  for (const [zone, { desired }] of allocations) {
    const difference = (allocated.get(zone) ?? 0) - desired;
    if (difference > 0) surplus.set(zone, difference);
    else if (difference < 0) lack.set(zone, -difference);
  }
  const giving = new Map<string, number>();
  const receiving = new Map<string, number>();
  for (;;) {
    const [from, give] = most(surplus);
    const [to, receive] = most(lack);
    if (give < 0.5 || receive < 0.5 || (give < 1 && receive < 1)) return { giving, receiving };
    bump(giving, from, 1);
    bump(surplus, from, -1);
    bump(receiving, to, 1);
    bump(lack, to, -1);
  }
}

function removeHints(slices: readonly PlannedSlice[]): void {
  for (const slice of slices) {
    if (slice.endpoints.some(({ hints }) => hints !== undefined)) slice.changed = true;
    slice.endpoints = slice.endpoints.map(({ hints: _, ...endpoint }) => endpoint);
  }
}

/** Sets hints on the slices of one address type (`AddHints`): slices that are fine as they are stay as they are. */
export function addTopologyHints(
  slices: readonly PlannedSlice[],
  nodes: readonly Node[],
  hadHints: boolean,
): TopologyEvent[] {
  const disable = (message: string): TopologyEvent[] => {
    removeHints(slices);
    return [{ type: 'Warning', reason: 'TopologyAwareHintsDisabled', message }];
  };
  const ready = slices.reduce((sum, { endpoints }) => sum + endpoints.filter(isReady).length, 0);
  const allocations = allocate(nodes, ready);
  if (typeof allocations === 'string') return disable(allocations);

  const allocated = new Map<string, number>();
  for (const slice of slices.filter(({ changed }) => !changed)) {
    const kept = keptHints(slice, allocated, allocations);
    if (kept === undefined) slice.changed = true;
    else for (const [zone, count] of kept) bump(allocated, zone, count);
  }
  const open = slices.filter(({ changed }) => changed);
  if (open.some(({ endpoints }) => endpoints.some((endpoint) => isReady(endpoint) && !endpoint.zone))) {
    return disable('One or more endpoints do not have a zone specified');
  }
  for (const { endpoints } of open) {
    for (const { zone = '' } of endpoints.filter(isReady)) bump(allocated, zone, 1);
  }
  const { giving, receiving } = moves(allocations, allocated);
  for (const slice of open) {
    slice.endpoints = slice.endpoints.map(({ hints: _, ...endpoint }) => {
      if (!isReady(endpoint)) return endpoint;
      let { zone = '' } = endpoint;
      const [to] = most(receiving);
      if ((giving.get(zone) ?? 0) > 0 && to !== '') {
        bump(giving, zone, -1);
        bump(receiving, to, -1);
        zone = to;
      }
      return { ...endpoint, hints: { forZones: [{ name: zone }] } };
    });
  }
  if (hadHints) return [];
  const message = 'Topology Aware Hints has been enabled';
  return [{ type: 'Normal', reason: 'TopologyAwareHintsEnabled', message }];
}
