/** Pods as quotas see them (upstream's `podEvaluator`). */
import type { Container, Pod, PodAffinityTerm } from '../../generated/types/core.v1.ts';
import { hasPodLevelResources, podLimits, podRequests } from '../core/pod-resources.ts';
import { qosClass } from '../core/pod-spec/qos.ts';
import type { Evaluator, Measured } from './evaluator.ts';
import { addLists, type ResourceList } from './resource-list.ts';

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const NAMES = new Set([
  'count/pods',
  'pods',
  ...COMPUTE.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
]);
/** Of these a quota wants every container to say how much; of later ones it does not. */
const REQUIRED = ['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]);
const HUGE_PAGES = 'hugepages-';

/** Everything that is not Kubernetes' own (`IsNativeResource`). */
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

/** Extended resources are only counted by what is requested: they cannot be overcommitted. */
const isExtended = (name: string): boolean => !isNative(name) && !name.startsWith('requests.');

/** Upstream's `podEvaluator`. */
export const podEvaluator: Evaluator = {
  group: '',
  resource: 'pods',
  updates: ['resize'],
  matches: (name) =>
    NAMES.has(name) ||
    name.startsWith(HUGE_PAGES) ||
    name.startsWith(`requests.${HUGE_PAGES}`) ||
    (name.startsWith('requests.') && !isNative(name)),
  measure: (object, now) => measure(object as Pod, now),
};

function measure(pod: Pod, now: number): Measured {
  const unspecified = hasPodLevelResources(pod) ? {} : unspecifiedIn(pod);
  return { usage: usageOf(pod, now), ...scopesOf(pod), unspecified };
}

/** A pod that has ended is still an object, and uses nothing else. */
function usageOf(pod: Pod, now: number): ResourceList {
  const count = { 'count/pods': '1' };
  if (!isCharged(pod, now)) return count;
  const options = { withStatus: true };
  return addLists(count, computeUsage(podRequests(pod, options), podLimits(pod, options)));
}

/** Not those that have ended, nor those that ought to be gone long since: their node may never say so (`QuotaV1Pod`). */
function isCharged({ metadata, status }: Pod, now: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return now <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function computeUsage(requests: ResourceList, limits: ResourceList): ResourceList {
  const usage = new Map([['pods', '1']]);
  for (const [name, amount] of Object.entries(requests)) {
    if (COMPUTE.includes(name) || name.startsWith(HUGE_PAGES)) usage.set(name, amount).set(`requests.${name}`, amount);
    if (isExtended(name)) usage.set(`requests.${name}`, amount);
  }
  for (const name of COMPUTE) if (limits[name] !== undefined) usage.set(`limits.${name}`, limits[name]);
  return Object.fromEntries(usage);
}

function unspecifiedIn({ spec }: Pod): Record<string, string[]> {
  const missing: Record<string, string[]> = {};
  const look = ({ name = '', resources }: Container): void => {
    const said = computeUsage(resources?.requests ?? {}, resources?.limits ?? {});
    for (const wanted of REQUIRED) if (said[wanted] === undefined) missing[wanted] = [...(missing[wanted] ?? []), name];
  };
  for (const container of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]) look(container);
  return missing;
}

function scopesOf({ spec = {} as NonNullable<Pod['spec']> }: Pod): Pick<Measured, 'scopes' | 'scopeValues'> {
  const priorityClass = spec.priorityClassName ?? '';
  const scopes = [
    (spec.activeDeadlineSeconds ?? -1) >= 0 ? 'Terminating' : 'NotTerminating',
    qosClass(spec) === 'BestEffort' ? 'BestEffort' : 'NotBestEffort',
  ];
  if (priorityClass !== '') scopes.push('PriorityClass');
  if (usesCrossNamespaceAffinity(spec)) scopes.push('CrossNamespacePodAffinity');
  return { scopes, scopeValues: { PriorityClass: priorityClass === '' ? [] : [priorityClass] } };
}

function usesCrossNamespaceAffinity({ affinity }: NonNullable<Pod['spec']>): boolean {
  const crosses = (term: PodAffinityTerm | undefined): boolean =>
    (term?.namespaces ?? []).length > 0 || term?.namespaceSelector !== undefined;
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some(
    (side) =>
      side?.requiredDuringSchedulingIgnoredDuringExecution?.some(crosses) ||
      side?.preferredDuringSchedulingIgnoredDuringExecution?.some(({ podAffinityTerm }) => crosses(podAffinityTerm)),
  );
}
