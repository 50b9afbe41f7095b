/** What a LimitRange allows of containers, pods and claims, in upstream's words. */
import { compareQuantity, parseQuantity } from '../../apimachinery/quantity.ts';
import type { LimitRange, PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import { podLimits, podRequests } from '../../resources/core/pod-resources.ts';

type Quantities = Record<string, string>;
type Item = NonNullable<NonNullable<LimitRange['spec']>['limits']>[number];
type Container = NonNullable<NonNullable<Pod['spec']>['containers']>[number];

interface Usage {
  requests: Readonly<Quantities>;
  limits: Readonly<Quantities>;
}

/** Why a pod may not be; empty where it may. */
export function podViolations(pod: Pod, range: LimitRange): string[] {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return (range.spec?.limits ?? []).flatMap((item) => {
    if (item.type === 'Container') return containers.flatMap((container) => violations(item, usageOf(container)));
    if (item.type === 'Pod') return violations(item, podUsage(pod));
    return [];
  });
}

/** Why a claim may not be; empty where it may. */
export function claimViolations(claim: PersistentVolumeClaim, range: LimitRange): string[] {
  const requests = (claim.spec?.resources?.requests ?? {}) as Quantities;
  return (range.spec?.limits ?? []).flatMap((item) => {
    if (item.type !== 'PersistentVolumeClaim') return [];
    const minimum = each(item.min, (name, bound) => atLeast(item, name, bound, requests, {}));
    return [...minimum, ...each(item.max, (name, bound) => requestAtMost(item, name, bound, requests))];
  });
}

const usageOf = ({ resources }: Container): Usage => ({
  requests: (resources?.requests ?? {}) as Quantities,
  limits: (resources?.limits ?? {}) as Quantities,
});

/** What LimitRanges look at of a pod as a whole: not its overhead. */
function podUsage(pod: Pod): Usage {
  const options = { withoutOverhead: true };
  return { requests: podRequests(pod, options), limits: podLimits(pod, options) };
}

function violations(item: Item, { requests, limits }: Usage): string[] {
  return [
    ...each(item.min, (name, bound) => atLeast(item, name, bound, requests, limits)),
    ...each(item.max, (name, bound) => atMost(item, name, bound, requests, limits)),
    ...each(item.maxLimitRequestRatio, (name, bound) => withinRatio(item, name, bound, requests, limits)),
  ];
}

function each(bounds: object | undefined, check: (name: string, bound: string) => string | undefined): string[] {
  return Object.entries((bounds ?? {}) as Quantities)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, bound]) => check(name, bound) ?? []);
}

const less = (a: string, b: string): boolean => compareQuantity(a, b) < 0;

function atLeast(
  item: Item,
  name: string,
  min: string,
  requests: Readonly<Quantities>,
  limits: Readonly<Quantities>,
): string | undefined {
  const [request, limit] = [requests[name], limits[name]];
  const rule = `minimum ${name} usage per ${item.type} is ${min}`;
  if (request === undefined) return `${rule}.  No request is specified`;
  if (less(request, min)) return `${rule}, but request is ${request}`;
  if (limit !== undefined && less(limit, min)) return `${rule}, but limit is ${limit}`;
  return undefined;
}

function atMost(
  item: Item,
  name: string,
  max: string,
  requests: Readonly<Quantities>,
  limits: Readonly<Quantities>,
): string | undefined {
  const [request, limit] = [requests[name], limits[name]];
  const rule = `maximum ${name} usage per ${item.type} is ${max}`;
  if (limit === undefined) return `${rule}.  No limit is specified`;
  if (less(max, limit)) return `${rule}, but limit is ${limit}`;
  if (request !== undefined && less(max, request)) return `${rule}, but request is ${request}`;
  return undefined;
}

function requestAtMost(item: Item, name: string, max: string, requests: Readonly<Quantities>): string | undefined {
  const request = requests[name];
  const rule = `maximum ${name} usage per ${item.type} is ${max}`;
  if (request === undefined) return `${rule}.  No request is specified`;
  return less(max, request) ? `${rule}, but request is ${request}` : undefined;
}

function withinRatio(
  item: Item,
  name: string,
  max: string,
  requests: Readonly<Quantities>,
  limits: Readonly<Quantities>,
): string | undefined {
  const [request, limit] = [requests[name], limits[name]];
  const rule = `${name} max limit to request ratio per ${item.type} is ${max}`;
  if (request === undefined || isZero(request)) return `${rule}, but no request is specified or request is 0`;
  if (limit === undefined || isZero(limit)) return `${rule}, but no limit is specified or limit is 0`;
  const ratio = numberOf(limit) / numberOf(request);
  return ratio > numberOf(max) / 1e9 ? `${rule}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}

const isZero = (text: string): boolean => numberOf(text) === 0;
const numberOf = (text: string): number => Number(parseQuantity(text).nano);
