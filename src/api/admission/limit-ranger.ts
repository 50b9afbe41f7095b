/** LimitRanger: what a namespace's LimitRanges give to pods that say nothing, and what they allow at all. */
import { forbidden } from '../../apimachinery/errors.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { LimitRange, PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import { unwrap } from '../respond.ts';
import { claimViolations, podViolations } from './limit-ranger-checks.ts';
import { setDefaults } from './limit-ranger-defaults.ts';
import type { AdmissionPlugin, CreateAttributes } from './plugin.ts';

const JUDGED = new Set(['pods', 'persistentvolumeclaims']);
/** How long an isolate goes by the ranges that it has read, in ms. */
const MAX_AGE = 1000;
const MAX_ENTRIES = 1000;
const kept = new Map<string, { ranges: LimitRange[]; at: number }>();

export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  admitCreate(attributes) {
    const { context, resource, object } = attributes;
    if (resource.group !== '' || !JUDGED.has(resource.resource)) return;
    const key = `${context.info.cluster} ${object.metadata.namespace}`;
    const entry = kept.get(key);
    if (entry === undefined || Date.now() - entry.at >= MAX_AGE) return load(attributes, key);
    admit(attributes, entry.ranges);
  },
};

async function load(attributes: CreateAttributes, key: string): Promise<void> {
  const { context, object } = attributes;
  const store = context.around.store(context.info.cluster, 'core/limitranges');
  const page = unwrap(await store.list({ prefix: `${object.metadata.namespace}/` }));
  const ranges = JSON.parse(`[${page.items}]`) as LimitRange[];
  if (kept.size >= MAX_ENTRIES) kept.clear();
  kept.set(key, { ranges, at: Date.now() });
  admit(attributes, ranges);
}

/** Forgets a namespace's ranges after this isolate has changed one. */
export function forgetLimitRanges(cluster: string, namespace: string): void {
  kept.delete(`${cluster} ${namespace}`);
}

function admit({ resource, object }: CreateAttributes, ranges: readonly LimitRange[]): void {
  const isPod = resource.resource === 'pods';
  if (isPod) for (const range of ranges) setDefaults(object as Pod, range);
  for (const range of ranges) {
    const violations = isPod
      ? podViolations(object as Pod, range)
      : claimViolations(object as PersistentVolumeClaim, range);
    refuse(resource, object, violations);
  }
}

function refuse(resource: CreateAttributes['resource'], object: KubeObject, violations: readonly string[]): void {
  if (violations.length === 0) return;
  const why = violations.length === 1 ? (violations[0] as string) : `[${violations.join(', ')}]`;
  throw forbidden(resource, object.metadata.name, why);
}
