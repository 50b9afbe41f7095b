/** A search's outcome as a claim's status has it. */

import { deepEqual } from '../../../apimachinery/equal.ts';
import { formatQuantity } from '../../../apimachinery/quantity.ts';
import type { NodeSelector, NodeSelectorRequirement } from '../../../generated/types/core.v1.ts';
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  ResourceClaim,
} from '../../../generated/types/resource.v1.ts';
import type { Amounts } from './allocated.ts';
import type { Wanted } from './requests.ts';
import type { Pick } from './search.ts';

/** The allocation of a claim on a node. */
export function allocationOf(claim: ResourceClaim, picks: readonly Pick[], node: string): AllocationResult {
  const config = configOf(claim, picks);
  const nodeSelector = selectorOf(picks, node);
  return {
    devices: { results: picks.map(resultOf), ...(config.length === 0 ? {} : { config }) },
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
  };
}

function resultOf({ asked, device, takes }: Pick): DeviceRequestAllocationResult {
  const { bindingConditions, bindingFailureConditions } = device.device;
  return {
    request: asked.name,
    driver: device.pool.driver,
    pool: device.pool.name,
    device: device.device.name ?? '',
    ...(asked.adminAccess ? { adminAccess: true } : {}),
    ...(asked.tolerations.length === 0 ? {} : { tolerations: [...asked.tolerations] }),
    ...(bindingConditions && { bindingConditions }),
    ...(bindingFailureConditions && { bindingFailureConditions }),
    ...(takes === undefined ? {} : { shareID: crypto.randomUUID(), ...consumed(takes) }),
  };
}

const consumed = (takes: Amounts): { consumedCapacity?: Record<string, string> } =>
  takes.size === 0
    ? {}
    : { consumedCapacity: Object.fromEntries([...takes].map(([name, amount]) => [name, formatQuantity(amount)])) };

/** First what classes say for the requests that have them, then what the claim says for those that were chosen. */
function configOf({ spec }: ResourceClaim, picks: readonly Pick[]): DeviceAllocationConfiguration[] {
  const chosen = [...new Set(picks.map(({ asked }) => asked))];
  const byClass = Map.groupBy(chosen, (asked: Wanted) => asked.class);
  const ofClasses = [...byClass].flatMap(([one, all]) =>
    (one.spec?.config ?? []).map((config) => ({
      source: 'FromClass',
      requests: all.map(({ name }) => name),
      ...config,
    })),
  );
  const ofClaim = (spec?.devices?.config ?? [])
    .filter(({ requests = [] }) => {
      const concerns = ({ name, request }: Wanted): boolean => requests.includes(name) || requests.includes(request);
      return requests.length === 0 || chosen.some(concerns);
    })
    .map((config) => ({ source: 'FromClaim', ...config }));
  return [...ofClasses, ...ofClaim];
}

/** Where all the devices can be used; undefined: everywhere. */
function selectorOf(picks: readonly Pick[], node: string): NodeSelector | undefined {
  const matchFields: NodeSelectorRequirement[] = [];
  const matchExpressions: NodeSelectorRequirement[] = [];
  const addNew = (to: NodeSelectorRequirement[], from: readonly NodeSelectorRequirement[] = []): void => {
    for (const one of from) if (!to.some((known) => deepEqual(known, one))) to.push(one);
  };
  for (const { device } of picks) {
    const { nodeName, nodeSelector } = device.place;
    if (nodeName || device.device.bindsToNode) {
      const here = { key: 'metadata.name', operator: 'In', values: [node] };
      return { nodeSelectorTerms: [{ matchFields: [here] }] };
    }
    const [term] = nodeSelector?.nodeSelectorTerms ?? [];
    addNew(matchFields, term?.matchFields);
    addNew(matchExpressions, term?.matchExpressions);
  }
  if (matchFields.length + matchExpressions.length === 0) return undefined;
  const term = {
    ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
    ...(matchFields.length === 0 ? {} : { matchFields }),
  };
  return { nodeSelectorTerms: [term] };
}
