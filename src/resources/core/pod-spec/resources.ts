/** Requests and limits of containers. */
import { type FieldError, invalid, required as requiredError } from '../../../apimachinery/field.ts';
import { canonical, compareQuantity } from '../../../apimachinery/quantity.ts';
import type { ResourceRequirements } from '../../../generated/types/core.v1.ts';
import { containerResourceName, isOvercommittable, resourceQuantity } from '../../validation/resource-names.ts';
import type { Rule } from '../../validation/rules.ts';

type Quantities = Record<string, string>;

function quantities(list: Quantities | undefined, named: Rule<string>, path: string, errors: FieldError[]): void {
  for (const name in list) {
    const at = `${path}[${name}]`;
    named(name, at, errors);
    resourceQuantity(name, list[name] as string, at, errors);
  }
}

/** `resources` of a container (`validateContainerResourceRequirements`). */
export const resourceRequirements: Rule<ResourceRequirements | undefined> = (resources, path, errors) => {
  if (resources !== undefined) requirements(resources, containerResourceName, path, errors);
};

/** Requests and limits, of resources whose names the rule `named` allows (`validateResourceRequirements`). */
export function requirements(
  resources: Pick<ResourceRequirements, 'limits' | 'requests'>,
  named: Rule<string>,
  path: string,
  errors: FieldError[],
): void {
  const { limits, requests } = resources as Record<'limits' | 'requests', Quantities | undefined>;
  quantities(limits, named, `${path}.limits`, errors);
  quantities(requests, named, `${path}.requests`, errors);
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
}
