/** Requests and limits of containers. */
import { type FieldError, invalid, required as requiredError } from '../../../apimachinery/field.ts';
import { canonical, compareQuantity } from '../../../apimachinery/quantity.ts';
import type { ResourceRequirements } from '../../../generated/types/core.v1.ts';
import { containerResourceName, isOvercommittable, resourceQuantity } from '../../validation/resource-names.ts';
import type { Rule } from '../../validation/rules.ts';

function quantities(list: Record<string, string> | undefined, path: string, errors: FieldError[]): void {
  for (const name in list) {
    const at = `${path}[${name}]`;
    containerResourceName(name, at, errors);
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
