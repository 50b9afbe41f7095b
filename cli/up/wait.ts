/** Waiting for the API to serve and for nodes to be Ready. */
import type { HttpClient } from '../../agent/client.ts';
import type { Node } from '../../src/generated/types/core.v1.ts';
import { UserError } from '../command.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls until it succeeds; throws the last error's words when time is up. */
export async function until<T>(what: string, ms: number, attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) {
        throw new UserError(
          `${what} did not happen in ${ms / 1000} s: ${error instanceof Error ? error.message : error}`,
        );
      }
      await pause(50);
    }
  }
}

/** Waits, by watching, until `count` nodes are Ready, or the named one is. */
export async function nodesReady(
  client: HttpClient,
  ms: number,
  isDone: (ready: ReadonlySet<string>) => boolean,
): Promise<void> {
  const ready = new Set<string>();
  const abort = new AbortController();
  const deadline = setTimeout(() => abort.abort(), ms);
  const note = (node: Node): void => {
    const condition = node.status?.conditions?.find((c) => c.type === 'Ready');
    if (condition?.status === 'True') ready.add(node.metadata.name);
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
