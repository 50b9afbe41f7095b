import { deepEqual } from '../../apimachinery/equal.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { AllocationResult, DeviceClass, ResourceClaim, ResourceSlice } from '../../generated/types/resource.v1.ts';
import { matchesTerms } from '../../resources/core/node-selector.ts';
import {
  ADD,
  DELETE,
  type EventHint,
  UPDATE,
  UPDATE_NODE_LABEL,
  UPDATE_POD_GENERATED_RESOURCE_CLAIM,
} from '../framework/cluster-event.ts';
import { StateKey } from '../framework/cycle-state.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Handle, PluginFactory, PostFilterResult } from '../framework/plugin.ts';
import { failed, type Status, unresolvable, unschedulable, WAIT } from '../framework/status.ts';
import { Allocator } from './dynamic-resources/allocator.ts';
import { hasToWait, isHopeless, isReady, isTooLate } from './dynamic-resources/binding-conditions.ts';
import {
  CLAIMS,
  CLASSES,
  claimNames,
  claimsOf,
  hasClaims,
  isReservedFor,
  keyOf,
  SLICES,
} from './dynamic-resources/claims.ts';
import { sharedOf } from './dynamic-resources/fence.ts';
import { Pools } from './dynamic-resources/pools.ts';
import { classProblem, planClaim } from './dynamic-resources/requests.ts';
import { OutOfEffort } from './dynamic-resources/search.ts';
import { bindClaim, deallocate } from './dynamic-resources/writes.ts';

const NAME = 'DynamicResources';
const NEEDS = [CLAIMS, CLASSES, SLICES];
const NO_NEEDS: typeof NEEDS = [];

interface State {
  /** As the pod's cycle last saw or wrote them. */
  claims: ResourceClaim[];
  /** Of the claims that have no devices yet; undefined when all have. */
  readonly allocator?: Allocator;
  /** What was found for each node that passed, in the order of the allocator's claims. */
  readonly allocations: Map<string, readonly AllocationResult[]>;
  /** Claims whose devices some node cannot use. */
  readonly unavailable: Set<ResourceClaim>;
  /** The pod was told that it waits for devices. */
  told?: true;
}
const STATE = new StateKey<State>(NAME);
const NO_CLAIMS: State = { claims: [], allocations: new Map(), unavailable: new Set() };

/** Whether the node is one where an allocated claim can be used. */
function isAvailable({ status }: ResourceClaim, { facts }: NodeInfo): boolean {
  const selector = status?.allocation?.nodeSelector;
  return selector === undefined || matchesTerms(selector.nodeSelectorTerms ?? [], facts);
}

/** Whether devices came free, or something changed about a claim of the pod. */
function mayUse(pod: Pod, before: ResourceClaim | undefined, after: ResourceClaim | undefined): boolean {
  if (before?.status?.allocation !== undefined && after?.status?.allocation === undefined) return true;
  const metadata = (after ?? before)?.metadata;
  if (after === undefined || metadata?.namespace !== pod.metadata.namespace) return false;
  try {
    if (!claimNames(pod).includes(after.metadata.name)) return false;
  } catch {
    return false;
  }
  return before === undefined || !deepEqual(before.status, after.status);
}

/** DynamicResources: a pod goes where its claims can have their devices, and they get them before it is bound. */
export const dynamicResources: PluginFactory = (handle) => {
  const { client, objects } = handle;
  const { assumed, fence } = sharedOf(handle);
  const classOf = (name: string): DeviceClass | undefined => objects.get<DeviceClass>(CLASSES, '', name);
  const poolsOf = rememberPools();

  const events: EventHint[] = [
    { kind: 'node', actions: ADD | UPDATE_NODE_LABEL },
    {
      kind: 'object',
      resource: CLAIMS,
      actions: ADD | UPDATE | DELETE,
      hint: ({ pod }, before, after) => mayUse(pod, before as ResourceClaim, after as ResourceClaim),
    },
    { kind: 'pending', actions: UPDATE_POD_GENERATED_RESOURCE_CLAIM, hint: (_, { pod }) => gate(pod) === undefined },
    { kind: 'pod', actions: DELETE, hint: (_, before) => before?.key === assumed.freedBy },
    { kind: 'object', resource: CLASSES, actions: ADD | UPDATE },
    { kind: 'object', resource: SLICES, actions: ADD | UPDATE },
  ];

  /** Why devices cannot be looked for yet; else what to look for. */
  function prepare(pod: Pod): State | Status {
    let claims: ResourceClaim[];
    try {
      claims = claimsOf(pod, (key) => assumed.claim(key));
    } catch (error) {
      return unresolvable((error as Error).message);
    }
    const open = claims.filter(({ status }) => status?.allocation === undefined);
    for (const claim of open) {
      if (assumed.isPending(claim)) {
        return unresolvable(`resource claim ${keyOf(claim)} is in the process of being allocated`);
      }
      const problem = classProblem(claim, classOf);
      if (problem !== undefined) return unresolvable(problem);
    }
    const state = { claims, allocations: new Map(), unavailable: new Set<ResourceClaim>() };
    if (open.length === 0) return state;
    try {
      const plans = open.map((claim) => planClaim(claim, classOf));
      const pools = poolsOf(objects.list<ResourceSlice>(SLICES));
      return { ...state, allocator: new Allocator(plans, pools, assumed.allocated(new Set(open.map(keyOf)))) };
    } catch (error) {
      return failed(error);
    }
  }

  /** Until drivers have prepared the devices that have to be. Throws an Error when they will not. */
  function awaitDevices(data: State, pod: Pod, node: string): Status | undefined {
    const claims = data.claims.map((claim) => assumed.claim(keyOf(claim)) ?? claim);
    if (claims.every(isReady)) return undefined;
    const late = claims.find((claim) => isTooLate(claim, handle.now()));
    if (late !== undefined) throw new Error(`claim ${late.metadata.name} binding timeout`);
    const message = `waiting for binding conditions for device on node ${node}`;
    if (!data.told) handle.event(pod, 'Normal', 'BindingConditionsPending', message);
    data.told = true;
    return WAIT;
  }

  return {
    name: NAME,
    events,
    needs: (pod) => (hasClaims(pod) ? NEEDS : NO_NEEDS),
    preEnqueue: gate,
    preFilter(state, { pod }) {
      state.write(STATE, NO_CLAIMS);
      if (!hasClaims(pod)) return 'skip';
      const prepared = prepare(pod);
      if ('code' in prepared) return prepared;
      if (prepared.claims.length === 0) return 'skip';
      state.write(STATE, prepared);
      return undefined;
    },
    filter(state, _, node) {
      const data = state.read(STATE);
      return data && find(data, node, handle.now());
    },
    async postFilter(state, { pod }) {
      const data = state.read(STATE);
      // Where a plugin before this one refused every node, upstream does not find its own state, and says so.
      if (data === undefined) return { status: failed('not found') };
      if (data.claims.length === 0) return { status: unschedulable('no new claims to deallocate') };
      return giveUp(handle, data, pod);
    },
    reserve(state, _, node) {
      const data = state.read(STATE);
      if (data?.allocator === undefined) return undefined;
      const allocations = data.allocations.get(node);
      if (allocations === undefined) return failed('claim allocation not found for node');
      data.allocator.claims.forEach((claim, i) => {
        assumed.hold(claim, allocations[i] as AllocationResult);
      });
      return undefined;
    },
    unreserve(state, { info }) {
      // What is written stays: the pod is tried again with the devices that it has, and gives them back where they are in its way.
      for (const claim of state.read(STATE)?.allocator?.claims ?? []) assumed.drop(claim, info.key);
    },
    async preBind(state, { pod }, node) {
      const data = state.read(STATE);
      if (data === undefined || data.claims.length === 0) return undefined;
      try {
        if (data.allocator !== undefined) await fence.pass();
        const allocations = data.allocations.get(node);
        for (const [i, claim] of data.claims.entries()) {
          if (isReservedFor(claim, pod)) continue;
          const chosen = allocations?.[data.allocator?.claims.indexOf(claim) ?? -1];
          const allocation = chosen && { ...chosen, allocationTimestamp: now(handle.now()) };
          data.claims[i] = await bindClaim(client, assumed, claim, allocation, pod);
        }
        return data.claims.some(hasToWait) ? awaitDevices(data, pod, node) : undefined;
      } catch (error) {
        return failed(error);
      }
    },
  };
};

/** A pod whose claims are not all made is not tried. */
function gate(pod: Pod): Status | undefined {
  if (!hasClaims(pod)) return undefined;
  try {
    claimNames(pod);
    return undefined;
  } catch (error) {
    return unresolvable((error as Error).message);
  }
}

/** Devices for the pod's claims on a node, kept for Reserve; or why it has none. */
function find({ claims, allocator, allocations, unavailable }: State, node: NodeInfo, now: number): Status | undefined {
  const elsewhere = claims.filter((claim) => !isAvailable(claim, node) || isHopeless(claim, now));
  if (elsewhere.length > 0) {
    for (const claim of elsewhere) unavailable.add(claim);
    return unresolvable('resourceclaim not available on the node');
  }
  if (allocator === undefined) return undefined;
  try {
    const found = allocator.allocate(node.facts);
    if ('results' in found) {
      allocations.set(node.name, found.results);
      return undefined;
    }
    return unresolvable(found.invalid ? 'invalid resource pools were encountered' : 'cannot allocate all claims');
  } catch (error) {
    return error instanceof OutOfEffort ? unresolvable('timed out trying to allocate devices') : failed(error);
  }
}

/** No node will do: of claims that nobody else uses, one gives its devices back, so that it may get others. */
async function giveUp({ client }: Handle, { unavailable }: State, pod: Pod): Promise<PostFilterResult> {
  for (const claim of unavailable) {
    const reservedFor = claim.status?.reservedFor ?? [];
    if (reservedFor.some(({ uid }) => uid !== pod.metadata.uid)) continue;
    try {
      const { namespace = '', name, uid } = pod.metadata;
      const now = await client.get<Pod>('core/pods', namespace, name);
      // It may have been bound without our hearing of it: then its node uses them.
      if (now?.metadata.uid === uid && now?.spec?.nodeName) break;
      await deallocate(client, claim);
    } catch (error) {
      return { status: failed(error) };
    }
    return { status: unschedulable('deallocation of ResourceClaim completed') };
  }
  return { status: unschedulable('still not schedulable') };
}

/** Pools are made of slices anew only when there are other slices. */
function rememberPools(): (slices: readonly ResourceSlice[]) => Pools {
  let last: readonly ResourceSlice[] = [];
  let pools = new Pools(last);
  return (slices) => {
    if (slices.length === last.length && slices.every((slice, i) => slice === last[i])) return pools;
    last = slices;
    pools = new Pools(slices);
    return pools;
  };
}
