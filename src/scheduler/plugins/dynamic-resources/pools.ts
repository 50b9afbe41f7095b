/** Devices as drivers publish them: ResourceSlices by pool and node (upstream's `GatherPools`). */
import { deviceVariable } from '../../../apimachinery/cel/devices.ts';
import { parseQuantity, type Quantity } from '../../../apimachinery/quantity.ts';
import type { NodeSelector } from '../../../generated/types/core.v1.ts';
import type { Device, ResourceSlice } from '../../../generated/types/resource.v1.ts';
import { matchesTerms } from '../../../resources/core/node-selector.ts';
import type { NodeFacts } from '../../framework/node-info.ts';
import { deviceId } from './allocated.ts';

/** Where a device can be used. */
interface Place {
  readonly nodeName?: string;
  readonly allNodes?: boolean;
  readonly nodeSelector?: NodeSelector;
}

function reaches({ nodeName, allNodes, nodeSelector }: Place, node: NodeFacts): boolean {
  if (nodeName) return nodeName === node.name;
  if (allNodes) return true;
  return nodeSelector !== undefined && matchesTerms(nodeSelector.nodeSelectorTerms ?? [], node);
}

/** A device of a pool. */
export class PoolDevice {
  readonly id: string;
  readonly device: Device;
  readonly slice: ResourceSlice;
  readonly pool: Pool;
  private made: unknown;

  constructor(device: Device, slice: ResourceSlice, pool: Pool) {
    this.id = deviceId(pool.driver, pool.name, device.name);
    this.device = device;
    this.slice = slice;
    this.pool = pool;
  }

  /** Where it can be used: what its slice says, unless each device says so for itself. */
  get place(): Place {
    return this.slice.spec?.perDeviceNodeSelection ? this.device : (this.slice.spec ?? {});
  }

  /** The variable `device` of selectors. Throws an Error for attributes that are none. */
  get variable(): unknown {
    this.made ??= deviceVariable({ ...this.device, driver: this.pool.driver });
    return this.made;
  }
}

/** One driver's pool: the slices of its newest generation. */
export class Pool {
  readonly driver: string;
  readonly name: string;
  /** By the name of their slice. */
  readonly devices: readonly PoolDevice[];
  /** Slices are missing: it is being updated. */
  readonly incomplete: boolean;
  /** It contradicts itself: nothing is taken of it. */
  readonly invalid: boolean;
  readonly counters: ReadonlyMap<string, ReadonlyMap<string, Quantity>>;
  /** Some of its devices have to be prepared before a pod is bound. */
  readonly slow: boolean;

  constructor(driver: string, name: string, slices: readonly ResourceSlice[]) {
    this.driver = driver;
    this.name = name;
    const generation = Math.max(...slices.map(({ spec }) => spec?.pool?.generation ?? 0));
    const newest = slices
      .filter(({ spec }) => (spec?.pool?.generation ?? 0) === generation)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    this.devices = newest.flatMap((slice) =>
      (slice.spec?.devices ?? []).map((one) => new PoolDevice(one, slice, this)),
    );
    this.incomplete = newest.length !== newest[0]?.spec?.pool?.resourceSliceCount;
    this.slow = this.devices.some(({ device }) => (device.bindingConditions ?? []).length > 0);
    const sets = newest.flatMap(({ spec }) => spec?.sharedCounters ?? []);
    this.counters = new Map(
      sets.map(({ name: set = '', counters = {} }) => [
        set,
        new Map(Object.entries(counters).map(([counter, { value }]) => [counter, parseQuantity(value ?? '0')])),
      ]),
    );
    const names = new Set(this.devices.map(({ id }) => id));
    const unknown = this.devices.some(({ device }) =>
      device.consumesCounters?.some(({ counterSet = '', counters = {} }) =>
        Object.keys(counters).some((counter) => !this.counters.get(counterSet)?.has(counter)),
      ),
    );
    this.invalid = names.size < this.devices.length || this.counters.size < sets.length || unknown;
  }
}

/** Of a pool, what can be used on a node. */
export interface NodePool {
  readonly pool: Pool;
  readonly devices: readonly PoolDevice[];
}

interface Entry {
  readonly driver: string;
  readonly name: string;
  readonly slices: ResourceSlice[];
  pool?: Pool;
}

export class Pools {
  private readonly byNode = new Map<string, Set<Entry>>();
  /** Those with slices that are not of one node. */
  private readonly shared = new Set<Entry>();

  constructor(slices: readonly ResourceSlice[]) {
    const entries = new Map<string, Entry>();
    for (const slice of slices) {
      const { driver = '', pool, nodeName, sharedCounters } = slice.spec ?? {};
      const id = deviceId(driver, pool?.name);
      const entry = entries.get(id) ?? { driver, name: pool?.name ?? '', slices: [] };
      entries.set(id, entry);
      entry.slices.push(slice);
      if (!nodeName) {
        // Counters alone make no node of interest.
        if ((sharedCounters ?? []).length === 0) this.shared.add(entry);
        continue;
      }
      const there = this.byNode.get(nodeName) ?? new Set<Entry>();
      this.byNode.set(nodeName, there.add(entry));
    }
  }

  /** The pools that a node can use something of, in the order in which they are tried: the slow ones last, by driver and name. */
  on(node: NodeFacts): NodePool[] {
    const found: NodePool[] = [];
    for (const entry of new Set([...(this.byNode.get(node.name) ?? []), ...this.shared])) {
      entry.pool ??= new Pool(entry.driver, entry.name, entry.slices);
      const { pool } = entry;
      const devices = pool.devices.filter(({ place }) => reaches(place, node));
      if (devices.length > 0) found.push({ pool, devices });
    }
    return found.sort((a, b) => Number(a.pool.slow) - Number(b.pool.slow) || (idOf(a) < idOf(b) ? -1 : 1));
  }
}

const idOf = ({ pool }: NodePool): string => deviceId(pool.driver, pool.name);
