/** Names of what containers and pods use: `cpu`, `hugepages-2Mi`, `example.com/gpu`. */
import { type FieldError, invalid } from '../../apimachinery/field.ts';
import { isQualifiedName } from '../../apimachinery/names.ts';
import { canonical, milliValue, parseQuantity } from '../../apimachinery/quantity.ts';
import type { Rule } from './rules.ts';

const OF_CONTAINERS = new Set(['cpu', 'memory', 'ephemeral-storage']);
/** Of these there is no half. */
const WHOLE = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);
const STANDARD = new Set([
  ...OF_CONTAINERS,
  ...WHOLE,
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'storage',
  'requests.storage',
]);

const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isHugePagesOfQuota = (name: string): boolean => /^(requests\.)?hugepages-/.test(name);

/** The resources without a group that a quota may name (`IsStandardQuotaResourceName`). */
export function isQuotaResource(name: string): boolean {
  return (STANDARD.has(name) && name !== 'storage') || isHugePagesOfQuota(name);
}

/** A resource of Kubernetes' own (`IsNativeResource`). */
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

/** Whether a request may be lower than its limit: only of what the kernel can take back (`IsOvercommitAllowed`). */
export const isOvercommittable = (name: string): boolean => isNative(name) && !isHugePages(name);

/** A resource that is neither Kubernetes' own nor a quota of one (`IsExtendedResourceName`). */
export function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0;
}

/** The name of something that containers use (`ValidateContainerResourceName`). */
export const containerResourceName: Rule<string> = (name, path, errors) => {
  const problems = isQualifiedName(name);
  for (const problem of problems) errors.push(invalid(path, name, problem));
  if (!name.includes('/')) {
    if (problems.length === 0 && !STANDARD.has(name) && !isHugePages(name)) {
      errors.push(invalid(path, name, 'must be a standard resource type or fully qualified'));
    }
    if (!OF_CONTAINERS.has(name) && !isHugePages(name)) {
      errors.push(invalid(path, name, 'must be a standard resource for containers'));
    }
  } else if (!isNative(name) && !isExtended(name)) {
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"));
  }
};

/** The name of anything that is counted or measured (`validateResourceName`). */
export const resourceName: Rule<string> = (name, path, errors) => {
  const problems = isQualifiedName(name);
  for (const problem of problems) errors.push(invalid(path, name, problem));
  if (problems.length > 0 || name.includes('/') || STANDARD.has(name) || isHugePagesOfQuota(name)) return;
  errors.push(invalid(path, name, 'must be a standard resource type or fully qualified'));
};

/** The name of something that a quota limits (`ValidateResourceQuotaResourceName`). */
export const quotaResourceName: Rule<string> = (name, path, errors) => {
  resourceName(name, path, errors);
  if (!name.includes('/') && !isQuotaResource(name)) {
    errors.push(invalid(path, name, 'must be a standard resource for quota'));
  }
};

/** An amount of a resource: not negative, and whole where the thing itself is (`ValidateResourceQuantityValue`). */
export function resourceQuantity(name: string, amount: string | number, path: string, errors: FieldError[]): void {
  const quantity = parseQuantity(amount);
  if (quantity.nano < 0n) errors.push(invalid(path, canonical(amount), 'must be greater than or equal to 0'));
  if ((WHOLE.has(name) || isExtended(name)) && milliValue(quantity) % 1000 !== 0) {
    errors.push(invalid(path, canonical(amount), 'must be an integer'));
  }
}
