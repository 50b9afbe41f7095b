/** The quality of service class that a pod's requests and limits amount to. */

import { compareQuantity } from '../../../apimachinery/quantity.ts';
import type { Container, PodSpec } from '../../../generated/types/core.v1.ts';

type Amounts = Record<string, string>;

const COUNTED = ['cpu', 'memory'];
const isPositive = (quantity: string | undefined): quantity is string =>
  quantity !== undefined && compareQuantity(quantity, '0') > 0;

/** `Guaranteed`, `Burstable` or `BestEffort` (`ComputePodQOS`). */
export function qosClass(spec: PodSpec): 'BestEffort' | 'Burstable' | 'Guaranteed' {
  const podLevel = spec.resources as { requests?: Amounts; limits?: Amounts } | undefined;
  const all: { resources?: unknown }[] =
    podLevel !== undefined ? [{ resources: podLevel }] : [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  let any = false;
  let guaranteed = true;
  for (const container of all as Container[]) {
    const requests = (container.resources?.requests ?? {}) as Amounts;
    const limits = (container.resources?.limits ?? {}) as Amounts;
    for (const name of COUNTED) {
      const request = requests[name];
      const limit = limits[name];
      if (isPositive(request) || isPositive(limit)) any = true;
      const equal = isPositive(limit) && (request === undefined || compareQuantity(request, limit) === 0);
      if (!equal) guaranteed = false;
    }
  }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable';
}
