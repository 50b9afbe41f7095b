/** The minute tick: events do the work, the tick guarantees that nothing is forgotten. */
import { DEFAULT_CLUSTER } from '../api/request-info.ts';
import type { Env } from './env.ts';
import type { SubscriberRpc } from './rpc.ts';

/** Ticks the components of every cluster. A failing one does not keep the others from theirs. */
export async function tickAll(env: Env): Promise<void> {
  const cluster = DEFAULT_CLUSTER;
  const components: SubscriberRpc[] = [
    env.CLUSTER.getByName(cluster) as unknown as SubscriberRpc,
    ...(env.CONTROLLERS === 'off'
      ? []
      : [
          env.CONTROLLER_MANAGER.getByName(cluster) as unknown as SubscriberRpc,
          env.SCHEDULER.getByName(cluster) as unknown as SubscriberRpc,
        ]),
  ];
  const results = await Promise.allSettled(components.map((component) => component.tick(cluster)));
  for (const result of results) if (result.status === 'rejected') console.error(result.reason);
}
