import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import type { Event } from '../../generated/types/events.v1.ts';
import { namespaceMismatch, takesClusterScoped } from '../core/event.ts';
import { groupVersion } from '../group.ts';
import type { Resource } from '../resource.ts';
import { qualifiedName } from '../validation/formats.ts';
import { eventConversion } from './conversion.ts';

const events = groupVersion('events.k8s.io', 'v1');

function commonErrors(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  if (!event.regarding?.namespace && !takesClusterScoped(event.metadata.namespace)) errors.push(namespaceMismatch(''));
  if (!event.reportingController) errors.push(required('reportingController'));
  qualifiedName(event.reportingController, 'reportingController', errors);
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    if (!event[field]) errors.push(required(field));
  }
  return errors;
}

function validate(event: Event): FieldError[] {
  const errors = commonErrors(event);
  if (!event.eventTime) errors.push(required('eventTime'));
  const type = event.type ?? '';
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalid('type', '', `has invalid value: ${type}`));
  return errors;
}

/** A reference as upstream's messages print it: its Go struct. */
function asStruct(reference: Event['regarding']): Record<string, string> {
  return {
    Kind: reference?.kind ?? '',
    Namespace: reference?.namespace ?? '',
    Name: reference?.name ?? '',
    UID: reference?.uid ?? '',
    APIVersion: reference?.apiVersion ?? '',
    ResourceVersion: reference?.resourceVersion ?? '',
    FieldPath: reference?.fieldPath ?? '',
  };
}

function validateUpdate(event: Event, old: Event): FieldError[] {
  const errors = commonErrors(event);
  const fixed = (field: string, value: unknown, was: unknown): void => {
    if (!deepEqual(value, was)) errors.push(invalid(field, value, 'field is immutable'));
  };
  fixed('involvedObject', asStruct(event.regarding), asStruct(old.regarding));
  // Upstream compares the reason twice.
  fixed('reason', event.reason ?? '', old.reason ?? '');
  fixed('reason', event.reason ?? '', old.reason ?? '');
  fixed('message', event.note ?? '', old.note ?? '');
  fixed('eventTime', event.eventTime ?? null, old.eventTime ?? null);
  for (const field of ['type', 'action', 'reportingController', 'reportingInstance'] as const) {
    fixed(field, event[field] ?? '', old[field] ?? '');
  }
  return errors;
}

const PARTS = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const;

/** The resources of the group `events.k8s.io`. */
export const eventsResources: readonly Resource[] = [
  events<Event>({
    resource: 'events',
    kind: 'Event',
    namespaced: true,
    shortNames: ['ev'],
    storedAs: 'core/events',
    conversion: eventConversion,
    strategy: { createOnUpdate: true, validate, validateUpdate },
    selectableFields: (event) => ({
      ...Object.fromEntries(PARTS.map((part) => [`regarding.${part}`, event.regarding?.[part] ?? ''])),
      reason: event.reason ?? '',
      reportingController: event.reportingController ?? '',
      type: event.type ?? '',
    }),
    storedFields: {
      ...Object.fromEntries(PARTS.map((part) => [`regarding.${part}`, `involvedObject.${part}`])),
      reportingController: 'reportingComponent',
    },
  }),
];
