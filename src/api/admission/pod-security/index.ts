/** PodSecurity: what pods may do in a namespace, by its labels. Pods are refused or warned of, templates only warned of. */
import { forbidden } from '../../../apimachinery/errors.ts';
import type { KubeObject, ObjectMeta } from '../../../apimachinery/meta.ts';
import type { Pod } from '../../../generated/types/core.v1.ts';
import type { Requester } from '../../context.ts';
import { lookUp } from '../lookup.ts';
import type { AdmissionPlugin } from '../plugin.ts';
import { BASELINE, type Check, type Finding } from './baseline.ts';
import type { PodSpec } from './pod.ts';
import { RESTRICTED } from './restricted.ts';

const LABEL = 'pod-security.kubernetes.io/';

export type Level = 'privileged' | 'baseline' | 'restricted';

interface Policy {
  level: Level;
  /** `latest`, or `v1.x`. */
  version: string;
}

const replaced = new Set(RESTRICTED.flatMap(([, , instead]) => instead ?? []));

const CHECKS: Record<Level, readonly Check[]> = {
  privileged: [],
  baseline: BASELINE.map(([, check]) => check),
  restricted: [
    ...BASELINE.filter(([id]) => !replaced.has(id)).map(([, check]) => check),
    ...RESTRICTED.map(([, check]) => check),
  ],
};

/** What a pod violates of a level; empty where it may run (`policy.Evaluator`). */
export function evaluate(level: Level, spec: PodSpec, metadata: Partial<ObjectMeta>): Finding[] {
  return CHECKS[level].flatMap((check) => check(spec, metadata) ?? []);
}

function policyOf(labels: Record<string, string>, mode: 'enforce' | 'warn'): Policy {
  const level = labels[LABEL + mode];
  const known = level === 'baseline' || level === 'restricted' || level === 'privileged';
  // A label that nobody understands must not open the door.
  const strictest: Level = mode === 'enforce' && level !== undefined ? 'restricted' : 'privileged';
  return { level: known ? level : strictest, version: labels[`${LABEL}${mode}-version`] ?? 'latest' };
}

function violation({ level, version }: Policy, spec: PodSpec, metadata: Partial<ObjectMeta>): string | undefined {
  const findings = evaluate(level, spec, metadata);
  if (findings.length === 0) return undefined;
  const what = findings.map(({ reason, detail }) => `${reason} (${detail})`).join(', ');
  return `PodSecurity ${JSON.stringify(`${level}:${version}`)}: ${what}`;
}

/** Where objects of other kinds carry a pod's template. */
const TEMPLATES: Record<string, (object: KubeObject) => Pod | undefined> = {
  podtemplates: (object) => (object as { template?: Pod }).template,
  cronjobs: (object) =>
    (object as { spec?: { jobTemplate?: { spec?: { template?: Pod } } } }).spec?.jobTemplate?.spec?.template,
};
for (const name of ['deployments', 'replicasets', 'statefulsets', 'daemonsets', 'jobs', 'replicationcontrollers']) {
  TEMPLATES[name] = (object) => (object as { spec?: { template?: Pod } }).spec?.template;
}
const GROUPS = new Set(['', 'apps', 'batch']);

export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  handles: ({ resource, operation }) => operation === 'CREATE' && GROUPS.has(resource.group),
  validate({ context, resource, object }) {
    const isPod = resource.resource === 'pods';
    const pod = isPod ? (object as Pod) : TEMPLATES[resource.resource]?.(object);
    if (pod?.spec === undefined) return;
    const found = lookUp(context, 'core/namespaces', object.metadata.namespace ?? '');
    if (found instanceof Promise) return found.then((namespace) => judge(context, namespace, pod, isPod));
    judge(context, found, pod, isPod);
  },
};

function judge(context: Requester, namespace: KubeObject | undefined, pod: Pod, isPod: boolean): void {
  const labels = namespace?.metadata.labels ?? {};
  const spec = pod.spec as PodSpec;
  const metadata = pod.metadata ?? {};
  if (isPod) {
    const violated = violation(policyOf(labels, 'enforce'), spec, metadata);
    if (violated !== undefined) {
      throw forbidden({ group: '', resource: 'pods' }, metadata.name ?? '', `violates ${violated}`);
    }
  }
  const warned = violation(policyOf(labels, 'warn'), spec, metadata);
  if (warned !== undefined) context.warnings.push(`would violate ${warned}`);
}
