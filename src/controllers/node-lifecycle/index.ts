/** Notices nodes that fell silent, and says so: in their conditions, their taints, and on their pods. */
import type { Client } from '../../apimachinery/client.ts';
import type { Json } from '../../apimachinery/meta.ts';
import type { Lease } from '../../generated/types/coordination.v1.ts';
import type { Node } from '../../generated/types/core.v1.ts';
import { type Controller, type ControllerContext, itself, type ObjectChange, type Requeue } from '../controller.ts';
import { patchStatus } from '../objects.ts';
import { decideEvictions } from './evictions.ts';
import { isSilent, lastHeard, unknownConditions } from './heartbeat.ts';
import { labelByFormerNames } from './labels.ts';
import { markPodsNotReady } from './pods.ts';
import { conditionStatus, evictionTaint, isTroubled, wantedTaints } from './taints.ts';

const NODES = 'core/nodes';
/** Keys beside names of nodes, which have none of these characters. */
const LOST = 'lost#';
const REGISTERED = 'registered#';
const REMOVED = 'removed#';
const EVICTIONS = '#evictions';

/** The key by which a node is looked at whose agent has had no session since `lostAt`, in ms since the epoch. */
export const lostKey = (node: string, lostAt: number): string => `${LOST}${node}#${lostAt}`;

async function keysOfNode(change: ObjectChange): Promise<string[]> {
  const { type, name, previous } = change;
  if (type === 'ADDED') return [name, `${REGISTERED}${name}`, EVICTIONS];
  if (type === 'DELETED') return [`${REMOVED}${name}`, EVICTIONS];
  const node = (await change.object()) as Node | undefined;
  const ready = (state: Node | undefined) => state && conditionStatus(state, 'Ready');
  return ready(node) === ready(previous as Node | undefined) ? itself(change) : [name, EVICTIONS];
}

const leaseOf = (client: Client, name: string): Promise<Lease | undefined> =>
  client.get<Lease>('coordination.k8s.io/leases', 'kube-node-lease', name);

async function writeTaints(client: Client, node: Node, evict: boolean, at: number): Promise<void> {
  const taints = wantedTaints(node, evict, at);
  if (taints === undefined) return;
  // Taints are a list that others write too: only onto what was read.
  const { name, resourceVersion } = node.metadata;
  const patch = { metadata: { resourceVersion }, spec: { taints: taints as unknown as Json } };
  await client.patch(NODES, '', name, 'merge', patch);
}

/** Says of a silent node that its state is unknown; answers whether that is news. */
async function markUnknown(client: Client, node: Node, context: ControllerContext): Promise<boolean> {
  const conditions = unknownConditions(node, context.now());
  if (!(await patchStatus(client, NODES, node, { ...node.status, conditions }))) return false;
  if (conditionStatus(node, 'Ready') === 'True') {
    const { name } = node.metadata;
    context.events.record(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
  }
  return true;
}

/** An agent whose session broke, and that was not heard of since by other ways, is gone: that needs no waiting for its silence. */
async function lookAtLost(client: Client, key: string, context: ControllerContext): Promise<void> {
  const [name = '', lostAt] = key.slice(LOST.length).split('#');
  const [read, lease] = await Promise.all([client.get<Node>(NODES, '', name), leaseOf(client, name)]);
  if (read === undefined || read.metadata.deletionTimestamp !== undefined) return;
  const heard = lastHeard(read, lease) > Number(lostAt);
  if (heard || (await context.nodeConnected(name))) return;
  await markUnknown(client, { ...read, apiVersion: 'v1', kind: 'Node' }, context);
}

async function evict(client: Client, context: ControllerContext): Promise<Requeue | undefined> {
  const { items } = await client.list<Node>(NODES);
  const at = context.now();
  const { start, stop, waitMs } = decideEvictions(items, at);
  for (const node of start) await writeTaints(client, node, true, at);
  for (const node of stop) await writeTaints(client, node, false, at);
  return waitMs === undefined ? undefined : { requeueAfterMs: waitMs };
}

function recordEvent(context: ControllerContext, name: string, uid: string, reason: string, message: string): void {
  const node: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name, uid } };
  context.events.record(node, 'Normal', reason, `Node ${name} event: ${message}`);
}

async function lookAtNode(client: Client, name: string, context: ControllerContext): Promise<Requeue | undefined> {
  const [read, lease] = await Promise.all([client.get<Node>(NODES, '', name), leaseOf(client, name)]);
  if (read === undefined || read.metadata.deletionTimestamp !== undefined) return;
  const node: Node = { ...read, apiVersion: 'v1', kind: 'Node' };
  const at = context.now();
  // The rest depends on what is written then.
  if (isSilent(node, lease, at) && (await markUnknown(client, node, context))) return { requeueAfterMs: 0 };
  if (await labelByFormerNames(client, node)) return { requeueAfterMs: 0 };
  // Whose pods are evicted already, their taint is only kept true.
  await writeTaints(client, node, evictionTaint(node) !== undefined, at);
  if (isTroubled(node)) await markPodsNotReady(client, node, context);
  return undefined;
}

/** Upstream's `node-lifecycle-controller`, whose events come from `node-controller`. */
export const nodeLifecycleController: Controller = {
  name: 'node-controller',
  watches: [{ resource: NODES, keys: keysOfNode }],
  /** Nodes that fell silent since, or are in trouble still: two lists, whatever their number. */
  async tick(client, context) {
    const [nodes, leases] = await Promise.all([
      client.list<Node>(NODES),
      client.list<Lease>('coordination.k8s.io/leases', { namespace: 'kube-node-lease' }),
    ]);
    const byName = new Map(leases.items.map((lease) => [lease.metadata.name, lease]));
    const at = context.now();
    const concerns = (node: Node): boolean =>
      conditionStatus(node, 'Ready') !== 'True' || isSilent(node, byName.get(node.metadata.name), at);
    const names = nodes.items.filter(concerns).map((node) => node.metadata.name);
    return names.length === 0 ? [] : [...names, EVICTIONS];
  },
  async reconcile(client, { key }, context) {
    if (key === EVICTIONS) return evict(client, context);
    if (key.startsWith(LOST)) return void (await lookAtLost(client, key, context));
    if (key.startsWith(REGISTERED)) {
      const name = key.slice(REGISTERED.length);
      const node = await client.get<Node>(NODES, '', name);
      const message = `Registered Node ${name} in Controller`;
      if (node !== undefined) recordEvent(context, name, node.metadata.uid ?? '', 'RegisteredNode', message);
      return;
    }
    if (key.startsWith(REMOVED)) {
      const name = key.slice(REMOVED.length);
      recordEvent(context, name, '', 'RemovingNode', `Removing Node ${name} from Controller`);
      return;
    }
    return lookAtNode(client, key, context);
  },
};
