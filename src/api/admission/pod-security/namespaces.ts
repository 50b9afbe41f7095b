/** A namespace that becomes stricter: its pods stay, and who made it so is told which would not be let in now. */
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type { Pod } from '../../../generated/types/core.v1.ts';
import { unwrap } from '../../respond.ts';
import type { Attributes } from '../plugin.ts';
import { evaluate } from './evaluate.ts';
import type { PodSpec } from './pod.ts';
import { compareLevels, formatLevel, type LevelVersion, policyOf } from './policy.ts';

/** Upstream looks at no more, for a second at most. */
const MOST_PODS = 3000;
const TIME_MS = 1000;

/** Warns of the pods that what is newly enforced would refuse (`ValidateNamespace`). */
export function warnOfPods({ context, object, old }: Attributes): void | Promise<void> {
  if (old === undefined) return;
  const next = policyOf(object.metadata.labels).enforce;
  const before = policyOf(old.metadata.labels).enforce;
  const isSame = next.version === before.version;
  if (next.level === 'privileged' || (isSame && compareLevels(next.level, before.level) <= 0)) return;
  return podsOf(context, object).then((pods) => {
    context.warnings.push(...warningsOf(pods, object.metadata.name, next));
  });
}

async function podsOf({ around, info }: Attributes['context'], { metadata }: KubeObject): Promise<Pod[]> {
  const page = unwrap(await around.store(info.cluster, 'core/pods').list({ prefix: `${metadata.name}/` }));
  return JSON.parse(`[${page.items}]`) as Pod[];
}

/** Upstream's `EvaluatePodsInNamespace`: pods with the same faults share a warning. */
export function warningsOf(pods: readonly Pod[], namespace: string, enforce: LevelVersion): string[] {
  const deadline = Date.now() + TIME_MS;
  const names = new Map<string, string[]>();
  let checked = 0;
  for (const { metadata, spec } of pods.slice(0, MOST_PODS)) {
    const reasons = evaluate(enforce, spec as PodSpec, metadata).map(({ reason }) => reason);
    checked += 1;
    if (reasons.length > 0) names.set(reasons.join(', '), [...(names.get(reasons.join(', ')) ?? []), metadata.name]);
    if (Date.now() > deadline) break;
  }
  const warnings: string[] = [];
  if (checked < pods.length) {
    const some = `the first ${checked} of ${pods.length} existing pods`;
    warnings.push(`new PodSecurity enforce level only checked against ${some}`);
  }
  if (names.size > 0) {
    const level = JSON.stringify(formatLevel(enforce));
    warnings.push(`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level ${level}`);
  }
  return [...warnings, ...[...names].map(([reasons, those]) => `${named(those)}: ${reasons}`).sort()];
}

function named(pods: readonly string[]): string {
  const [first = '', ...others] = [...pods].sort();
  if (others.length === 0) return first;
  return `${first} (and ${others.length} other pod${others.length === 1 ? '' : 's'})`;
}
