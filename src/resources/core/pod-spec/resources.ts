/** Requests and limits of containers. */
import { type FieldError, invalid, required as requiredError } from '../../../apimachinery/field.ts';
import { canonical, compareQuantity } from '../../../apimachinery/quantity.ts';
import type { ResourceRequirements } from '../../../generated/types/core.v1.ts';
import { isQualifiedName } from '../../validation/primitives.ts';
import { resourceQuantity } from '../../validation/resource-names.ts';
import type { Rule } from '../../validation/rules.ts';

const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage']);
const isStandard = (name: string): boolean => STANDARD.has(name) || name.startsWith('hugepages-');

/** Whether a request may be lower than its limit: only of what the kernel can take back. */
export function isOvercommittable(name: string): boolean {
  return (name.includes('/') === false || name.startsWith('kubernetes.io/')) && !name.startsWith('hugepages-');
}

function resourceName(name: string, path: string, errors: FieldError[]): void {
  const problems = isQualifiedName(name);
  for (const problem of problems) errors.push(invalid(path, name, problem));
  if (problems.length > 0) return;
  if (!name.includes('/') && !isStandard(name)) {
    errors.push(invalid(path, name, 'must be a standard resource for containers'));
  }
}

function quantities(list: Record<string, string> | undefined, path: string, errors: FieldError[]): void {
  for (const name in list) {
    const at = `${path}[${name}]`;
    resourceName(name, at, errors);
    resourceQuantity(name, list[name] as string, at, errors);
  }
}

/** `resources` of a container (`validateContainerResourceRequirements`). */
export const resourceRequirements: Rule<ResourceRequirements | undefined> = (resources, path, errors) => {
  if (resources === undefined) return;
  const { limits, requests } = resources as Record<'limits' | 'requests', Record<string, string> | undefined>;
  quantities(limits, `${path}.limits`, errors);
  quantities(requests, `${path}.requests`, errors);
  for (const name in requests) {
    const request = requests[name] as string;
    const limit = limits !== undefined && Object.hasOwn(limits, name) ? limits[name] : undefined;
    const overcommittable = isOvercommittable(name);
    if (limit === undefined) {
      if (!overcommittable) {
        errors.push(requiredError(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
      }
      continue;
    }
    const order = compareQuantity(request, limit);
    if (!overcommittable && order !== 0) {
      const detail = `must be equal to ${name} limit of ${canonical(limit)}`;
      errors.push(invalid(`${path}.requests`, canonical(request), detail));
    } else if (order > 0) {
      const detail = `must be less than or equal to ${name} limit of ${canonical(limit)}`;
      errors.push(invalid(`${path}.requests`, canonical(request), detail));
    }
  }
};
