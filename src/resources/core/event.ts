import { type FieldError, invalid } from '../../apimachinery/field.ts';
import type { Event } from '../../generated/types/core.v1.ts';
import { pathSegmentName } from '../validation/object-names.ts';
import { core } from './group.ts';

/** Fields by which events can be selected. */
function eventFields(event: Event): Record<string, string> {
  const object = event.involvedObject ?? {};
  return {
    'involvedObject.kind': object.kind ?? '',
    'involvedObject.namespace': object.namespace ?? '',
    'involvedObject.name': object.name ?? '',
    'involvedObject.uid': object.uid ?? '',
    'involvedObject.apiVersion': object.apiVersion ?? '',
    'involvedObject.resourceVersion': object.resourceVersion ?? '',
    'involvedObject.fieldPath': object.fieldPath ?? '',
    reason: event.reason ?? '',
    reportingComponent: event.reportingComponent ?? '',
    source: event.source?.component || (event.reportingComponent ?? ''),
    type: event.type ?? '',
  };
}

const NAMESPACES_OF_CLUSTER_SCOPED = ['', 'default', 'kube-system'];

/** The error of an event that does not lie in the namespace of its object. */
export const namespaceMismatch = (namespace: string): FieldError =>
  invalid('involvedObject.namespace', namespace, 'does not match event.namespace');

/** Whether events of cluster-scoped objects may lie in a namespace. */
export const takesClusterScoped = (namespace = ''): boolean => NAMESPACES_OF_CLUSTER_SCOPED.includes(namespace);

function validate(event: Event): FieldError[] {
  const own = event.metadata.namespace ?? '';
  const theirs = event.involvedObject?.namespace ?? '';
  const matches = theirs === '' ? takesClusterScoped(own) : own === theirs;
  return matches ? [] : [namespaceMismatch(theirs)];
}

/** Events of the core group; `events.k8s.io` shows the same objects in its own shape. */
export const event = core<Event>({
  resource: 'events',
  kind: 'Event',
  namespaced: true,
  shortNames: ['ev'],
  strategy: {
    createOnUpdate: true,
    nameErrors: pathSegmentName,
    default(event) {
      event.source ??= {};
      event.reportingComponent ??= '';
      event.reportingInstance ??= '';
    },
    validate,
  },
  selectableFields: eventFields,
});
