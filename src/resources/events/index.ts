import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import type { Event as CoreEvent } from '../../generated/types/core.v1.ts';
import type { Event } from '../../generated/types/events.v1.ts';
import { eventErrors } from '../core/event.ts';
import { groupVersion } from '../group.ts';
import type { Resource } from '../resource.ts';
import { all, pointerTo, struct, text } from '../validation/go-struct.ts';
import { eventConversion } from './conversion.ts';

const events = groupVersion('events.k8s.io', 'v1');

/** As it is kept, and as messages name its fields. */
const asCore = (event: Event): CoreEvent => eventConversion.toStored(event) as CoreEvent;

function seriesErrors({ series }: CoreEvent): FieldError[] {
  const errors: FieldError[] = [];
  if (series === undefined) return errors;
  if ((series.count ?? 0) < 2) errors.push(invalid('series.count', '', 'should be at least 2'));
  if (!series.lastObservedTime) errors.push(required('series.lastObservedTime'));
  return errors;
}

/** Fields of old that new events leave empty. */
const UNSET: readonly (readonly [string, (event: CoreEvent) => unknown])[] = [
  ['firstTimestamp', ({ firstTimestamp }) => firstTimestamp],
  ['lastTimestamp', ({ lastTimestamp }) => lastTimestamp],
  ['count', ({ count }) => count],
  ['source', ({ source }) => source?.component || source?.host],
];

function validate(given: Event): FieldError[] {
  const event = asCore(given);
  const errors = [...eventErrors(event), ...seriesErrors(event)];
  if (!event.eventTime) errors.push(required('eventTime'));
  const type = event.type ?? '';
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalid('type', '', `has invalid value: ${type}`));
  for (const [field, valueIn] of UNSET) if (valueIn(event)) errors.push(invalid(field, '', 'needs to be unset'));
  return errors;
}

const asReference = struct(all(text, 'Kind', 'Namespace', 'Name', 'UID', 'APIVersion', 'ResourceVersion', 'FieldPath'));
const asSource = struct(all(text, 'Component', 'Host'));

/** Fields that never change, as messages print them; upstream compares the reason twice. */
const FIXED: readonly (readonly [string, (event: CoreEvent) => unknown])[] = [
  ['involvedObject', ({ involvedObject }) => asReference(involvedObject)],
  ['reason', ({ reason = '' }) => reason],
  ['message', ({ message = '' }) => message],
  ['source', ({ source }) => asSource(source)],
  ['firstTimestamp', ({ firstTimestamp = null }) => firstTimestamp],
  ['lastTimestamp', ({ lastTimestamp = null }) => lastTimestamp],
  ['count', ({ count = 0 }) => count],
  ['reason', ({ reason = '' }) => reason],
  ['type', ({ type = '' }) => type],
  ['eventTime', ({ eventTime = null }) => eventTime],
  ['action', ({ action = '' }) => action],
  ['related', ({ related }) => pointerTo(asReference)(related)],
  ['reportingController', ({ reportingComponent = '' }) => reportingComponent],
  ['reportingInstance', ({ reportingInstance = '' }) => reportingInstance],
];

function validateUpdate(given: Event, before: Event): FieldError[] {
  const [event, old] = [asCore(given), asCore(before)];
  const errors = eventErrors(event);
  if (!deepEqual(event.series, old.series)) errors.push(...seriesErrors(event));
  for (const [field, valueIn] of FIXED) {
    const value = valueIn(event);
    if (!deepEqual(value, valueIn(old))) errors.push(invalid(field, value, 'field is immutable'));
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
    strategy: { createOnUpdate: true, metadataChecks: [0, 1], validate, validateUpdate },
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
