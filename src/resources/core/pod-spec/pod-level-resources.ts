/** What a pod may say of its resources as a whole (`validatePodResources`). */
import { type FieldError, forbiddenField, invalid, notSupported } from '../../../apimachinery/field.ts';
import { canonical, compareQuantity } from '../../../apimachinery/quantity.ts';
import type { PodSpec } from '../../../generated/types/core.v1.ts';
import { resourceName } from '../../validation/resource-names.ts';
import { check, type Rule } from '../../validation/rules.ts';
import { podLimits, podRequests } from '../pod-resources.ts';
import { requirements } from './resources.ts';

type Quantities = Record<string, string>;

const HUGE_PAGES = 'hugepages-';
const POD_LEVEL = ['cpu', HUGE_PAGES, 'memory'];

const podResourceName: Rule<string> = (name, path, errors) => {
  const found = check(resourceName, name, path);
  errors.push(...found);
  const known = name === 'cpu' || name === 'memory' || name.startsWith(HUGE_PAGES);
  if (found.length === 0 && !known) errors.push(notSupported(path, name, POD_LEVEL));
};

/** Errors of the pod's own resources, which its containers' must fit into. */
export const podLevelResources: Rule<PodSpec> = (spec, path, errors) => {
  const { resources } = spec;
  if (resources === undefined) return;
  const at = `${path}.resources`;
  if (spec.os?.name === 'windows') {
    errors.push(forbiddenField(at, 'may not be set for a windows pod'));
    return;
  }
  if (resources.claims?.length) {
    errors.push(forbiddenField(`${at}.claims`, 'claims may not be set for Resources at pod-level'));
  }
  requirements(resources, podResourceName, at, errors);
  const pod = { metadata: { name: '' }, spec };
  const { requests, limits } = resources as Record<'requests' | 'limits', Quantities | undefined>;
  const asked = podRequests(pod, { containersOnly: true });
  atLeast(requests, asked, () => true, `${at}.requests`, 'requests', errors);
  const allowed = podLimits(pod, { containersOnly: true });
  atLeast(limits, allowed, (name) => name.startsWith(HUGE_PAGES), `${at}.limits`, 'limits', errors);
  spec.containers?.forEach((container, index) => {
    for (const [name, limit] of Object.entries((container.resources?.limits ?? {}) as Quantities)) {
      const most = limits?.[name];
      if (most === undefined || compareQuantity(limit, most) <= 0) continue;
      const why = `must be less than or equal to pod limits of ${canonical(most)}`;
      errors.push(invalid(`${at}.containers[${index}][${name}].limits`, canonical(limit), why));
    }
  });
};

function atLeast(
  own: Quantities | undefined,
  containers: Quantities,
  counts: (name: string) => boolean,
  path: string,
  what: string,
  errors: FieldError[],
): void {
  for (const [name, sum] of Object.entries(containers)) {
    const value = own?.[name];
    if (value === undefined || !counts(name) || compareQuantity(sum, value) <= 0) continue;
    const why = `must be greater than or equal to aggregate container ${what} of ${canonical(sum)}`;
    errors.push(invalid(`${path}[${name}]`, canonical(value), why));
  }
}
