/** What a pod that says something of its resources as a whole leaves out (`defaultHugePagePodLimits`, `defaultPodRequests`). */
import type { PodSpec } from '../../../generated/types/core.v1.ts';
import { podLimits, podRequests } from '../pod-resources.ts';

type Quantities = Record<string, string>;

const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
/** What may be promised more often than it is there, and be said of a pod. */
const isShared = (name: string): boolean => name === 'cpu' || name === 'memory';

/** Fills in pod-level limits and requests, in place, after those of the containers. */
export function defaultPodLevelResources(spec: PodSpec): void {
  const { resources } = spec;
  if (resources === undefined) return;
  const pod = { metadata: { name: '' }, spec };
  const limits = { ...(resources.limits as Quantities | undefined) };
  const requests = { ...(resources.requests as Quantities | undefined) };
  if (Object.keys(limits).length + Object.keys(requests).length === 0) return;
  for (const [name, limit] of Object.entries(podLimits(pod, { containersOnly: true }))) {
    if (isHugePages(name) && !Object.hasOwn(requests, name)) limits[name] ??= limit;
  }
  if (Object.keys(limits).length === 0) return;
  resources.limits = limits;
  for (const [name, request] of Object.entries(podRequests(pod, { containersOnly: true }))) {
    if (isShared(name)) requests[name] ??= request;
  }
  for (const [name, limit] of Object.entries(limits)) {
    if (isShared(name) || isHugePages(name)) requests[name] ??= limit;
  }
  if (Object.keys(requests).length > 0) resources.requests = requests;
}
