/** Names of what containers and pods use: `cpu`, `hugepages-2Mi`, `example.com/gpu`. */
import { invalid } from '../../apimachinery/field.ts';
import { isQualifiedName } from './primitives.ts';
import type { Rule } from './rules.ts';

const OF_CONTAINERS = new Set(['cpu', 'memory', 'ephemeral-storage']);
const STANDARD = new Set([
  ...OF_CONTAINERS,
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'storage',
  'requests.storage',
  'services.nodeports',
  'services.loadbalancers',
]);

const isHugePages = (name: string): boolean => name.startsWith('hugepages-');

/** A resource that is neither Kubernetes' own nor a quota of one (`IsExtendedResourceName`). */
function isExtended(name: string): boolean {
  const isNative = !name.includes('/') || name.includes('kubernetes.io/');
  return !isNative && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0;
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
  } else if (!name.includes('kubernetes.io/') && !isExtended(name)) {
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"));
  }
};
