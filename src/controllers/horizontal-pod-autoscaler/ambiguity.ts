/** Whether an autoscaler's target says which pods are meant, and whether they are its alone. */
import type { Client } from '../../apimachinery/client.ts';
import type { HorizontalPodAutoscaler } from '../../generated/types/autoscaling.v2.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { ControllerContext } from '../controller.ts';
import { type Autoscaler, setCondition } from './status.ts';
import { readScale, type Scale } from './target.ts';

/** The pods that the target's selector selects, or why they are not to be counted (`validateAndParseSelector`). */
export async function checkSelector(
  client: Client,
  autoscaler: Autoscaler,
  { namespace, selector }: Scale,
  { events, now }: ControllerContext,
): Promise<{ pods: Pod[]; failure?: string }> {
  const refuse = (reason: string, failure: string, message = failure, condition = reason) => {
    events.record(autoscaler, 'Warning', reason, failure);
    setCondition(autoscaler.status, now(), 'ScalingActive', 'False', condition, message);
    return { pods: [], failure };
  };
  if (selector === '') {
    const missing = "the HPA target's scale is missing a selector";
    return refuse('SelectorRequired', 'selector is required', missing, 'InvalidSelector');
  }
  const { items: pods } = await client.list<Pod>('core/pods', { namespace, labelSelector: selector });
  const names = await competitors(client, namespace, pods);
  if (names.length <= 1) return { pods };
  const keys = names.map((name) => `${namespace}/${name}`).join(' ');
  return refuse('AmbiguousSelector', `pods by selector ${selector} are controlled by multiple HPAs: [${keys}]`);
}

/** The autoscalers of the namespace whose targets select one of the pods. */
async function competitors(client: Client, namespace: string, pods: readonly Pod[]): Promise<string[]> {
  const { items } = await client.list<HorizontalPodAutoscaler>('autoscaling/horizontalpodautoscalers', { namespace });
  if (items.length < 2) return [];
  const uids = new Set(pods.map(({ metadata }) => metadata.uid));
  const names: string[] = [];
  for (const other of items) {
    const scale = await readScale(client, other).catch(() => undefined);
    if (scale === undefined || scale.selector === '') continue;
    const theirs = await client.list<Pod>('core/pods', { namespace, labelSelector: scale.selector });
    if (theirs.items.some(({ metadata }) => uids.has(metadata.uid))) names.push(other.metadata.name);
  }
  return names;
}
