/** Waiting for the API to serve and for nodes to be Ready. */
import type { HttpClient } from '../../agent/client.ts';
import type { Node } from '../../src/generated/types/core.v1.ts';
import { UserError } from '../command.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls until it succeeds; throws the last error's words when time is up, and at once what a person has to do something about. */
export async function until<T>(what: string, ms: number, attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof UserError) throw error;
      if (Date.now() > deadline) {
        throw new UserError(
          `${what} did not happen in ${ms / 1000} s: ${error instanceof Error ? error.message : error}`,
        );
      }
      await pause(50);
    }
  }
}

/**
 * Waits, by watching, until the nodes that are Ready are those that are wanted. `since`: in milliseconds; what a node said before
 * that does not count, for it was said by another agent.
 */
export async function nodesReady(
  client: HttpClient,
  ms: number,
  isDone: (ready: ReadonlySet<string>) => boolean,
  since = 0,
): Promise<void> {
  const ready = new Set<string>();
  const abort = new AbortController();
  const deadline = setTimeout(() => abort.abort(), ms);
  const note = (node: Node): void => {
    const condition = node.status?.conditions?.find((c) => c.type === 'Ready');
    // Heartbeats are told in whole seconds.
    const isNew = since === 0 || Date.parse(condition?.lastHeartbeatTime ?? '') >= Math.floor(since / 1000) * 1000;
    if (condition?.status === 'True' && isNew) ready.add(node.metadata.name);
    else ready.delete(node.metadata.name);
  };
  try {
    while (!isDone(ready)) {
      if (abort.signal.aborted)
        throw new UserError(`the node was not Ready in ${ms / 1000} s; see the logs in the data folder.`);
      const { items, resourceVersion } = await client.list<Node>('core/nodes');
      ready.clear();
      for (const node of items) note(node);
      if (isDone(ready)) return;
      const watch = new AbortController();
      abort.signal.addEventListener('abort', () => watch.abort(), { once: true });
      await client
        .watch<Node>('core/nodes', { resourceVersion, signal: watch.signal }, ({ type, object }) => {
          if (type === 'ADDED' || type === 'MODIFIED') note(object);
          if (isDone(ready)) watch.abort();
        })
        .catch(() => pause(50));
    }
  } finally {
    clearTimeout(deadline);
  }
}
