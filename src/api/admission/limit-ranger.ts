/** LimitRanger: what a namespace's LimitRanges give to pods that say nothing, and what they allow at all. */
import { forbidden } from '../../apimachinery/errors.ts';
import type { LimitRange, PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import { claimViolations, podViolations } from './limit-ranger-checks.ts';
import { setDefaults } from './limit-ranger-defaults.ts';
import { listed } from './listed.ts';
import { type AdmissionPlugin, type Attributes, nameOf } from './plugin.ts';

export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  handles({ resource, operation, subresource }) {
    if (resource.group !== '') return false;
    // What a pod's containers need changes in a resize alone.
    if (resource.resource === 'pods') return operation === 'CREATE' ? subresource === '' : subresource === 'resize';
    return resource.resource === 'persistentvolumeclaims' && subresource === '';
  },
  admit(attributes) {
    if (attributes.resource.resource !== 'pods') return;
    return withRanges(attributes, (range) => setDefaults(attributes.object as Pod, range));
  },
  validate: (attributes) => withRanges(attributes, (range) => check(attributes, range)),
};

function withRanges({ context, object }: Attributes, apply: (range: LimitRange) => void): void | Promise<void> {
  const ranges = listed<LimitRange>(context, 'core/limitranges', object.metadata.namespace ?? '');
  if (ranges instanceof Promise) return ranges.then((loaded) => loaded.forEach(apply));
  ranges.forEach(apply);
}

function check({ resource, object }: Attributes, range: LimitRange): void {
  const violations =
    resource.resource === 'pods'
      ? podViolations(object as Pod, range)
      : claimViolations(object as PersistentVolumeClaim, range);
  if (violations.length === 0) return;
  const why = violations.length === 1 ? (violations[0] as string) : `[${violations.join(', ')}]`;
  throw forbidden(resource, nameOf(object), why);
}
