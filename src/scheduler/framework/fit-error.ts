/** Why no node takes a pod, in upstream's words (`framework.FitError`). */
import type { Diagnosis } from './plugin.ts';
import { messageOf, type Status } from './status.ts';

export interface FitError extends Diagnosis {
  /** How many nodes there are, looked at or not. */
  readonly nodes: number;
  /** PreFilter refused all nodes with this. */
  readonly preFilter?: Status;
  /** Names of the plugins that refused: an event has to help with one of these. */
  readonly plugins: ReadonlySet<string>;
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). <what PostFilter said>`. */
export function fitMessage(error: Omit<FitError, 'plugins'>, postFilter = ''): string {
  let message = `0/${error.nodes} nodes are available:`;
  const reasons = error.preFilter === undefined ? histogram(error) : messageOf(error.preFilter);
  if (reasons !== '') message += ` ${reasons}.`;
  return postFilter === '' ? message : `${message} ${postFilter}`;
}

function histogram({ statuses, absent, nodes }: Omit<FitError, 'plugins'>): string {
  const counts = new Map<string, number>();
  const add = (status: Status, by: number): void => {
    for (const reason of status.reasons) counts.set(reason, (counts.get(reason) ?? 0) + by);
  };
  for (const status of statuses.values()) add(status, 1);
  if (statuses.size < nodes) add(absent, nodes - statuses.size);
  const lines = [...counts].map(([reason, times]) => `${times} ${reason}`);
  return lines.sort().join(', ');
}
