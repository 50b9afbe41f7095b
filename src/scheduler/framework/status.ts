/** How an extension point answered (`framework.Status`); undefined means success. */

/**
 * `Unschedulable`: removing other pods might help. `UnschedulableAndUnresolvable`: it would not. `Pending`: something outside has to act first.
 * `Wait`: not yet; the framework asks again when something changes. `Error`: a fault, and the pod is tried again after its back-off.
 */
export type Code = 'Error' | 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Pending' | 'Wait';

export interface Status {
  readonly code: Code;
  /** One line each, in upstream's words; they are counted over all nodes. */
  readonly reasons: readonly string[];
  /** Upstream's name of the plugin that answered; the framework fills it in. */
  readonly plugin?: string;
}

/** Not this node, or not now; removing pods might help. */
export function unschedulable(...reasons: string[]): Status {
  return { code: 'Unschedulable', reasons };
}

/** Not this node, and removing pods would not help. */
export function unresolvable(...reasons: string[]): Status {
  return { code: 'UnschedulableAndUnresolvable', reasons };
}

/** A fault, which says nothing about the pod. */
export function failed(error: unknown): Status {
  return { code: 'Error', reasons: [error instanceof Error ? error.message : String(error)] };
}

/** Ask again when something changes: for Permit and PreBind. */
export const WAIT: Status = { code: 'Wait', reasons: [] };

/** Whether a plugin refused, as opposed to having failed (`IsRejected`). */
export function isRejection(status: Status): boolean {
  return status.code !== 'Error' && status.code !== 'Wait';
}

/** The reasons as one text (`Message`). */
export function messageOf(status: Status): string {
  return status.reasons.join(', ');
}
