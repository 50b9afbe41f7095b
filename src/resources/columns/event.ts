/** Columns of events, of either group: the names of their fields differ, what is printed does not. */
import { ageSince } from '../../apimachinery/duration.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Event as CoreEvent } from '../../generated/types/core.v1.ts';
import type { Event as EventsEvent } from '../../generated/types/events.v1.ts';
import type { Column } from '../resource.ts';
import { name, text, wide } from './shared.ts';

type Event = KubeObject &
  Partial<Omit<CoreEvent, 'metadata'>> &
  Partial<Omit<EventsEvent, 'metadata' | keyof CoreEvent>>;

const objectOf = (event: Event) => event.involvedObject ?? event.regarding ?? {};

function target(event: Event): string {
  const { kind = '', name } = objectOf(event);
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();
}

function source(event: Event): string {
  const { component, host } = event.source ?? event.deprecatedSource ?? {};
  const reporter = component || event.reportingComponent || event.reportingController || '';
  const instance = host || event.reportingInstance || '';
  return instance === '' ? reporter : `${reporter}, ${instance}`;
}

const firstSeen = (event: Event): string | undefined =>
  event.firstTimestamp || event.deprecatedFirstTimestamp || event.eventTime || undefined;

const lastSeen = (event: Event): string | undefined =>
  event.series?.lastObservedTime || event.lastTimestamp || event.deprecatedLastTimestamp || firstSeen(event);

const timesSeen = (event: Event): number => event.series?.count ?? (event.count || event.deprecatedCount || 1);

export const eventColumns: readonly Column<Event>[] = [
  text('Last Seen', (event, now) => ageSince(lastSeen(event), now)),
  text('Type', ({ type }) => type ?? ''),
  text('Reason', ({ reason }) => reason ?? ''),
  text('Object', target),
  wide(text('Subobject', (event) => objectOf(event).fieldPath ?? '')),
  wide(text('Source', source)),
  text('Message', ({ message, note }) => (message ?? note ?? '').trim()),
  wide(text('First Seen', (event, now) => ageSince(firstSeen(event), now))),
  wide(text('Count', timesSeen)),
  wide(name as Column<Event>),
];
