/** Which Services a change of a node concerns. */

import type { Client } from '../../apimachinery/client.ts';
import { findCondition } from '../../apimachinery/conditions.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import type { Node, Pod, Service } from '../../generated/types/core.v1.ts';
import { keyOf, type ObjectChange } from '../controller.ts';
import { servicesSelecting } from '../endpoints/addresses.ts';
import { isTopologyAware } from './hints.ts';

const zoneOf = (node: Node | undefined): string | undefined => node?.metadata.labels?.['topology.kubernetes.io/zone'];

/** What the share of a zone is made of. */
const capacityOf = (node: Node | undefined) => [
  findCondition(node?.status?.conditions, 'Ready')?.status,
  node?.status?.allocatable?.['cpu'],
];

/** Services of pods on a node that came, went or moved to another zone; those with topology hints also when its CPUs count differently. */
export async function servicesOfNode(change: ObjectChange, client: Client): Promise<string[]> {
  const node = (await change.object()) as Node | undefined;
  const before = change.previous as Node | undefined;
  const moved = change.type !== 'MODIFIED' || zoneOf(node) !== zoneOf(before);
  if (!moved && deepEqual(capacityOf(node), capacityOf(before))) return [];
  const services = await client.list<Service>('core/services');
  const keys = new Set(services.items.filter(isTopologyAware).map(keyOf));
  if (!moved) return [...keys];
  const { items } = await client.list<Pod>('core/pods', { fieldSelector: `spec.nodeName=${change.name}` });
  for (const [namespace, pods] of Map.groupBy(items, ({ metadata }) => metadata.namespace ?? '')) {
    for (const key of await servicesSelecting(client, namespace, pods)) keys.add(key);
  }
  return [...keys];
}
