/** One step of a DaemonSet's rolling update. Pure. */
import type { Pod } from '../../generated/types/core.v1.ts';
import type { DaemonView, Plan } from './view.ts';

/** The pods of a node that stay: at most one of the current revision and one of another; undefined where there are more. */
function pairOf(view: DaemonView, pods: readonly Pod[]): { fresh?: Pod; old?: Pod } | undefined {
  const staying = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const fresh = staying.filter((pod) => view.isUpdated(pod));
  const old = staying.filter((pod) => !view.isUpdated(pod));
  return fresh.length > 1 || old.length > 1 ? undefined : { fresh: fresh[0], old: old[0] };
}

/** Every node that has a pod or is to have one, with its pods. */
function nodesWithPods(view: DaemonView): Map<string, readonly Pod[]> {
  const nodes = new Map(view.pods);
  for (const [node, { run }] of view.verdicts) if (run && !nodes.has(node)) nodes.set(node, []);
  return nodes;
}

/** Which pods make room for new ones, and with surge where new ones come first (`rollingUpdate`). */
export function rollingUpdate(view: DaemonView): Plan {
  return view.bounds.surge > 0 ? surge(view) : replace(view);
}

/** Old pods that are not available go at once; of the others as many as may be unavailable. */
function replace(view: DaemonView): Plan {
  const remove: Pod[] = [];
  const candidates: Pod[] = [];
  let unavailable = 0;
  for (const pods of nodesWithPods(view).values()) {
    const pair = pairOf(view, pods);
    const [fresh, old] = [pair?.fresh, pair?.old];
    if ((fresh === undefined) === (old === undefined)) unavailable++;
    else if (fresh !== undefined) unavailable += view.isAvailable(fresh) ? 0 : 1;
    else if (old !== undefined) {
      if (view.isAvailable(old)) candidates.push(old);
      else {
        remove.push(old);
        unavailable++;
      }
    }
  }
  const room = Math.max(0, view.bounds.unavailable - unavailable);
  return { create: [], remove: [...remove, ...candidates.slice(0, room)] };
}

/** New pods come beside old ones, as many as the surge allows; an old one goes when its successor is available. */
function surge(view: DaemonView): Plan {
  const create: string[] = [];
  const remove: Pod[] = [];
  const candidates: string[] = [];
  /** On nodes that are the DaemonSet's no more: they go when elsewhere enough are available. */
  const sunset: Pod[] = [];
  let surging = 0;
  let available = 0;
  for (const [node, pods] of nodesWithPods(view)) {
    const pair = pairOf(view, pods);
    if (pair === undefined) {
      surging++;
      continue;
    }
    const { fresh, old } = pair;
    const oldIsAvailable = old !== undefined && view.isAvailable(old);
    if (old === undefined ? fresh !== undefined && view.isAvailable(fresh) : oldIsAvailable) available++;
    if (old === undefined) continue;
    if (fresh !== undefined) {
      if (view.isAvailable(fresh)) remove.push(old);
      else surging++;
    } else if (view.verdicts.get(node)?.run !== true) (oldIsAvailable ? sunset : remove).push(old);
    else (oldIsAvailable ? candidates : create).push(node);
  }
  remove.push(...sunset.slice(0, Math.max(0, available - view.desired)));
  create.push(...candidates.slice(0, Math.max(0, view.bounds.surge - surging)));
  return { create, remove };
}
