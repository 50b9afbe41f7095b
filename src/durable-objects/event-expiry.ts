/** Events are forgotten an hour after they last happened, as upstream's `--event-ttl`. */
import type { Event } from '../generated/types/core.v1.ts';
import type { Row } from '../store/types.ts';

const TTL_MS = 3_600_000;

/** Keys of the Events whose time is over. */
export function expiredEvents(rows: Iterable<Row>, now: number): string[] {
  const keys: string[] = [];
  for (const { key, text } of rows) {
    const { lastTimestamp, eventTime, series, metadata } = JSON.parse(text) as Event;
    const last = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';
    if (Date.parse(last) < now - TTL_MS) keys.push(key);
  }
  return keys;
}
