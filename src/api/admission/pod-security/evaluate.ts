/** What pods violate of a level (`policy.Evaluator`). */
import type { ObjectMeta } from '../../../apimachinery/meta.ts';
import { BASELINE, type Check, type Finding, type Versions } from './baseline.ts';
import type { PodSpec } from './pod.ts';
import { formatLevel, type LevelVersion } from './policy.ts';
import { RESTRICTED } from './restricted.ts';

const known = new Map<string, readonly Check[]>();

/** The checks of a level as they were in a version of the policy. */
function checksOf(policy: LevelVersion): readonly Check[] {
  const key = formatLevel(policy);
  let checks = known.get(key);
  if (checks === undefined) {
    checks = select(policy);
    // Clients name the version.
    if (known.size < MAX_KNOWN) known.set(key, checks);
  }
  return checks;
}

const MAX_KNOWN = 200;

function select({ level, version }: LevelVersion): readonly Check[] {
  if (level === 'privileged') return [];
  const minor = version === 'latest' ? Number.POSITIVE_INFINITY : Number(version.slice('v1.'.length));
  const asOf = (versions: Versions): Check | undefined => versions.findLast(([since]) => since <= minor)?.[1];
  const restricted = level === 'restricted' ? RESTRICTED.filter(([, versions]) => asOf(versions) !== undefined) : [];
  const replaced = new Set(restricted.map(([, , instead]) => instead));
  return [...BASELINE.filter(([id]) => !replaced.has(id)), ...restricted].flatMap(
    ([, versions]) => asOf(versions) ?? [],
  );
}

/** Every violation; none where the pod may run. */
export function evaluate(policy: LevelVersion, spec: PodSpec, metadata: Partial<ObjectMeta>): Finding[] {
  return checksOf(policy).flatMap((check) => check(spec, metadata) ?? []);
}

/** All violations in one text; undefined where there are none. */
export function violation(policy: LevelVersion, spec: PodSpec, metadata: Partial<ObjectMeta>): string | undefined {
  const findings = evaluate(policy, spec, metadata);
  if (findings.length === 0) return undefined;
  const what = findings.map(({ reason, detail }) => `${reason} (${detail})`).join(', ');
  return `PodSecurity ${JSON.stringify(formatLevel(policy))}: ${what}`;
}
