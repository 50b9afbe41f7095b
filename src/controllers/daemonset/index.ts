/** Keeps a pod of each DaemonSet on each of its nodes. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { selects, selectsEverything } from '../../apimachinery/labels.ts';
import { controllerOf } from '../../apimachinery/meta.ts';
import type { DaemonSet } from '../../generated/types/apps.v1.ts';
import type { Node, Pod } from '../../generated/types/core.v1.ts';
import { type Controller, type ControllerContext, itself, keyOf, type ObjectChange } from '../controller.ts';
import { forEachLimited, patchStatus } from '../objects.ts';
import { ownerKeys } from '../owners.ts';
import { createPods, deletePod } from '../pod-control.ts';
import { countsDiffer, nextAvailability } from '../pods.ts';
import { claim } from '../replicaset/claim.ts';
import { FailedPodBackoff } from './backoff.ts';
import { cleanUpHistory, syncHistory } from './history.ts';
import { manage } from './manage.ts';
import { verdictOn } from './nodes.ts';
import { rollingUpdate } from './rolling-update.ts';
import { statusOf } from './status.ts';
import { podFor } from './template.ts';
import { DaemonView, type Plan } from './view.ts';

const DAEMON_SETS = 'apps/daemonsets';
const KIND = { kind: 'DaemonSet', resource: DAEMON_SETS };
/** Pods that one reconcile makes or deletes at most (`BurstReplicas`). */
const BURST = 250;
const PARALLEL = 32;

const backoffs = new WeakMap<ControllerContext, FailedPodBackoff>();

function backoffOf(context: ControllerContext): FailedPodBackoff {
  const backoff = backoffs.get(context) ?? new FailedPodBackoff();
  backoffs.set(context, backoff);
  return backoff;
}

/** All DaemonSets when a node goes; of a node that is there, those for which it changes where pods are (`syncNodeUpdate`). */
async function keysOfNode(change: ObjectChange, client: Client): Promise<string[]> {
  const node = (await change.object()) as Node | undefined;
  if (change.type === 'MODIFIED' && change.previous !== undefined) {
    const decisive = (state: Node | undefined): unknown[] => [state?.metadata.labels, state?.spec?.taints];
    if (deepEqual(decisive(node), decisive(change.previous as Node))) return [];
  }
  const { items: sets } = await client.list<DaemonSet>(DAEMON_SETS);
  if (node === undefined || change.type === 'DELETED') return sets.map(keyOf);
  const { items: pods } = await client.list<Pod>('core/pods', { fieldSelector: `spec.nodeName=${node.metadata.name}` });
  const present = new Set(pods.map((pod) => controllerOf(pod)?.uid));
  return sets.filter((set) => concerns(set, node, present.has(set.metadata.uid))).map(keyOf);
}

/** Whether the node lacks a pod, has one that must go, or has one that may be where it belongs again. */
function concerns(set: DaemonSet, node: Node, present: boolean): boolean {
  const { run, stay } = verdictOn(set, node);
  return present ? !stay || (set.status?.numberMisscheduled ?? 0) > 0 : run;
}

async function keysOfPod(change: ObjectChange, client: Client): Promise<string[]> {
  if (!(await countsDiffer(change))) return [];
  return ownerKeys<DaemonSet>(change, client, KIND, (set, pod) => selects(set.spec?.selector, pod.metadata.labels));
}

/** Carries a plan out; answers whether there was anything to do (`syncNodes`). */
async function carryOut(client: Client, view: DaemonView, plan: Plan, context: ControllerContext): Promise<boolean> {
  const pods = plan.create.slice(0, BURST).map((node) => podFor(view.set, node, view.hash));
  const { failure } = await createPods(client, view.set, pods, context);
  await forEachLimited(plan.remove.slice(0, BURST), PARALLEL, async (pod) => {
    await deletePod(client, view.set, pod, context);
  });
  if (failure !== undefined) throw failure;
  return pods.length + plan.remove.length > 0;
}

/** Upstream's `daemonset-controller`. */
export const daemonSetController: Controller = {
  name: 'daemonset-controller',
  watches: [
    { resource: DAEMON_SETS, keys: itself },
    { resource: 'core/pods', keys: keysOfPod },
    { resource: 'core/nodes', keys: keysOfNode },
  ],
  async reconcile(client, { namespace, name }, context) {
    const read = await client.get<DaemonSet>(DAEMON_SETS, namespace, name);
    const selector = read?.spec?.selector;
    if (read?.spec?.template === undefined || selector === undefined) return;
    const set: DaemonSet = { ...read, apiVersion: 'apps/v1', kind: 'DaemonSet' };
    if (selectsEverything(selector)) {
      const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
      context.events.record(set, 'Warning', 'SelectingAll', message);
      return;
    }
    if (set.metadata.deletionTimestamp !== undefined) return;
    const history = await syncHistory(client, set, selector);
    const pods = await claim<Pod>(client, 'core/pods', set, 'apps/v1', 'DaemonSet', selector);
    const { items: nodes } = await client.list<Node>('core/nodes');
    const view = new DaemonView(set, history.hash, nodes, pods, context.now());
    const management = manage(view, backoffOf(context), context);
    try {
      const busy = await carryOut(client, view, management, context);
      // A roll-out counts on what it sees: it goes on when all nodes have what they need.
      const rolls = set.spec?.updateStrategy?.type !== 'OnDelete';
      if (!busy && rolls) await carryOut(client, view, rollingUpdate(view), context);
      await cleanUpHistory(client, set, history.old, pods);
    } finally {
      await patchStatus(client, DAEMON_SETS, set, statusOf(view));
    }
    const next = nextAvailability(pods, set.spec?.minReadySeconds ?? 0, context.now())?.requeueAfterMs;
    const waits = [next, management.waitMs].filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) };
  },
};
