/** What pods violate of a level (`policy.Evaluator`). */
import type { ObjectMeta } from '../../../apimachinery/meta.ts';
import { BASELINE, type Check, type Finding } from './baseline.ts';
import type { PodSpec } from './pod.ts';
import { formatLevel, type Level, type LevelVersion } from './policy.ts';
import { RESTRICTED } from './restricted.ts';

const replaced = new Set(RESTRICTED.flatMap(([, , instead]) => instead ?? []));

const CHECKS: Record<Level, readonly Check[]> = {
  privileged: [],
  baseline: BASELINE.map(([, check]) => check),
  restricted: [
    ...BASELINE.filter(([id]) => !replaced.has(id)).map(([, check]) => check),
    ...RESTRICTED.map(([, check]) => check),
  ],
};

/** Every violation; none where the pod may run. */
export function evaluate(level: Level, spec: PodSpec, metadata: Partial<ObjectMeta>): Finding[] {
  return CHECKS[level].flatMap((check) => check(spec, metadata) ?? []);
}

/** All violations in one text; undefined where there are none. */
export function violation(policy: LevelVersion, spec: PodSpec, metadata: Partial<ObjectMeta>): string | undefined {
  const findings = evaluate(policy.level, spec, metadata);
  if (findings.length === 0) return undefined;
  const what = findings.map(({ reason, detail }) => `${reason} (${detail})`).join(', ');
  return `PodSecurity ${JSON.stringify(formatLevel(policy))}: ${what}`;
}
