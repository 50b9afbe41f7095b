/** Sends pod statuses to the API server, only what differs, and tries again until it has them. */
import { findCondition } from '../../src/apimachinery/conditions.ts';
import { isReason } from '../../src/apimachinery/errors.ts';
import type { Json, JsonObject } from '../../src/apimachinery/meta.ts';
import type { Pod, PodStatus } from '../../src/generated/types/core.v1.ts';
import type { HttpClient } from '../client.ts';
import { RESIZE_CONDITIONS } from './conditions.ts';

/** Whether `have` already says all that `want` says. Conditions are compared by type: others belong to others. */
export function covers(have: PodStatus | undefined, want: PodStatus): boolean {
  if (have === undefined) return false;
  const { conditions: wanted, ...rest } = want;
  for (const [key, value] of Object.entries(rest)) {
    if (!same((have as Record<string, unknown>)[key], value)) return false;
  }
  if ((have.reason ?? '') !== (want.reason ?? '') || (have.message ?? '') !== (want.message ?? '')) return false;
  if (over(have, want).length > 0) return false;
  return (wanted ?? []).every((condition) => same(findCondition(have.conditions, condition.type), condition));
}

/** Conditions that are there during a resize alone, and no more. */
function over(have: PodStatus, want: PodStatus): string[] {
  return RESIZE_CONDITIONS.filter(
    (type) => findCondition(have.conditions, type) !== undefined && findCondition(want.conditions, type) === undefined,
  );
}

/** Deep equality where null, undefined and empty objects and lists are all nothing. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNothing(a) && isNothing(b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]));
  }
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** The strategic merge patch that makes `have` say what `want` says. */
export function statusPatch(pod: Pod, want: PodStatus): JsonObject {
  const have = pod.status ?? {};
  const status = { ...want } as unknown as JsonObject;
  for (const key of ['reason', 'message'] as const) if (have[key] && !want[key]) status[key] = null;
  const conditions = (want.conditions ?? []).map((condition) => {
    const old = findCondition(have.conditions, condition.type);
    const cleared = (['reason', 'message'] as const).filter((key) => old?.[key] && !condition[key]);
    return { ...condition, ...Object.fromEntries(cleared.map((key) => [key, null])) } as unknown as Json;
  });
  status['conditions'] = [...conditions, ...over(have, want).map((type) => ({ $patch: 'delete', type }))];
  const gone = (have.podIPs ?? []).filter(({ ip }) => !(want.podIPs ?? []).some((other) => other.ip === ip));
  if (gone.length > 0) {
    const deletions = gone.map(({ ip }) => ({ $patch: 'delete', ip: ip ?? '' }));
    status['podIPs'] = [...((want.podIPs ?? []) as unknown as Json[]), ...deletions];
  }
  return { metadata: { uid: pod.metadata.uid ?? '' }, status };
}

/** Writes `want`; answers with the pod as the server has it now, or undefined when it is gone (or its name is another pod's). */
export async function writeStatus(client: HttpClient, pod: Pod, want: PodStatus): Promise<Pod | undefined> {
  if (covers(pod.status, want)) return pod;
  const { namespace = '', name } = pod.metadata;
  try {
    return await client.patch<Pod>('core/pods', namespace, name, 'strategic', statusPatch(pod, want), 'status');
  } catch (error) {
    if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) {
      const current = await client.get<Pod>('core/pods', namespace, name);
      if (current === undefined || current.metadata.uid !== pod.metadata.uid) return undefined;
    }
    throw error;
  }
}

/** Whether `a` is a later version than `b`; versions are numbers that only grow. */
export function isNewer(a: Pod, b: Pod): boolean {
  const version = (pod: Pod): bigint => {
    const text = pod.metadata.resourceVersion ?? '0';
    return /^\d+$/.test(text) ? BigInt(text) : 0n;
  };
  return version(a) > version(b);
}
