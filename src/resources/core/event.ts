import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import { byteLength } from '../../apimachinery/names.ts';
import { pathSegmentName } from '../../apimachinery/validation/object-names.ts';
import type { Event } from '../../generated/types/core.v1.ts';
import { qualifiedName } from '../validation/formats.ts';
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

const MOST_OF_NOTE = 1024;
const MOST_OF_WORDS = 128;

/** Whether the event lies in the namespace of its object; of one that has none, in those that `alone` lists. */
function namespaceErrors(
  { metadata, involvedObject }: Event,
  alone: readonly string[],
  mayDiffer: boolean,
): FieldError[] {
  const own = metadata.namespace ?? '';
  const theirs = involvedObject?.namespace ?? '';
  if (theirs === '' ? alone.includes(own) : mayDiffer || own === theirs) return [];
  return [invalid('involvedObject.namespace', theirs, 'does not match event.namespace')];
}

/** The errors of an event in whatever version (upstream's `legacyValidateEvent`): those that say when they happened must say more. */
export function eventErrors(event: Event): FieldError[] {
  if (!event.eventTime) return namespaceErrors(event, ['', 'default'], false);
  const errors = namespaceErrors(event, ['default', 'kube-system'], true);
  const { reportingComponent = '', message = '' } = event;
  if (reportingComponent === '') errors.push(required('reportingController'));
  qualifiedName(reportingComponent, 'reportingController', errors);
  const tooMany = (field: string, most: number): void =>
    void errors.push(invalid(field, '', `can have at most ${most} characters`));
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    const words = event[field] ?? '';
    if (words === '') errors.push(required(field));
    if (byteLength(words) > MOST_OF_WORDS) tooMany(field, MOST_OF_WORDS);
  }
  if (byteLength(message) > MOST_OF_NOTE) tooMany('message', MOST_OF_NOTE);
  return errors;
}

/** Events of the core group; `events.k8s.io` shows the same objects in its own shape. */
export const event = core<Event>({
  resource: 'events',
  kind: 'Event',
  namespaced: true,
  shortNames: ['ev'],
  strategy: {
    metadataChecks: [0, 0],
    plainFinalizers: true,
    createOnUpdate: true,
    nameErrors: pathSegmentName,
    default(event) {
      event.source ??= {};
      event.reportingComponent ??= '';
      event.reportingInstance ??= '';
    },
    validate: eventErrors,
  },
  selectableFields: eventFields,
});
