/** Asks nodes what runs on them uses. */
import type { ResourceId } from '../../apimachinery/client.ts';
import type { Summary } from '../../apimachinery/stats-summary.ts';
import type { ListQuery } from '../../store/types.ts';
import type { Surroundings } from '../context.ts';
import { unwrap } from '../respond.ts';
import { streamNodeProxy } from '../streaming/index.ts';
import type { MetricsScope } from './metrics.ts';

/** Nodes sample every 15 s: what was said just now is as good as what would be said now. */
const FRESH_MS = 3_000;
const REMEMBERED = 512;

interface Answer {
  summary: Summary | undefined;
  at: number;
}

const answers = new Map<string, Answer>();

/** The metrics of a cluster, from its stores and its nodes. */
export function metricsScope(around: Surroundings, cluster: string): MetricsScope {
  return {
    async list<T>(id: ResourceId, query: ListQuery) {
      const page = unwrap(await around.store(cluster, id).list(query));
      return JSON.parse(`[${page.items}]`) as T[];
    },
    summaryOf: (node) => nodeSummary(around, cluster, node),
  };
}

/** A node's answer; undefined where it has none: it is not connected, or only simulated. */
async function nodeSummary(around: Surroundings, cluster: string, node: string): Promise<Summary | undefined> {
  const key = `${cluster}/${node}`;
  const known = answers.get(key);
  if (known !== undefined && Date.now() - known.at < FRESH_MS) return known.summary;
  const summary = await ask(around, cluster, node);
  answers.delete(key);
  answers.set(key, { summary, at: Date.now() });
  if (answers.size > REMEMBERED) answers.delete(answers.keys().next().value as string);
  return summary;
}

async function ask(around: Surroundings, cluster: string, node: string): Promise<Summary | undefined> {
  const url = new URL('https://node/stats/summary');
  try {
    const session = around.nodeSession(cluster, node);
    const answer = await streamNodeProxy(session, { node, path: 'stats/summary', request: new Request(url), url });
    if (answer.ok) return (await answer.json()) as Summary;
    await answer.body?.cancel();
  } catch {
    // Whatever it is: without an answer there are no metrics.
  }
  return undefined;
}
