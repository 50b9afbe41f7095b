/** Events of a watch in another form than the store sends them: other versions, Tables, metadata alone, protobuf. */
import { joinBytes } from '../../apimachinery/bytes.ts';
import { encodeWatchEvent } from '../../apimachinery/codec/index.ts';
import type { JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';
import { converting, isConvertedByWebhook } from '../conversion/index.ts';
import { type ConvertedSelection, Sight } from '../conversion/selection.ts';
import type { Accepted } from '../negotiation.ts';
import { includeObject } from '../printers/table.ts';
import { transformObject } from '../printers/transform.ts';
import { type Snapshot, snapshots } from '../snapshot.ts';

/**
 * The bytes that a client gets, made of those that the store has sent: one event or more. Throws a StatusError where a webhook cannot say
 * what the client would see: that is the last event.
 */
export type Convert = (events: Uint8Array | ArrayBuffer) => Uint8Array | Promise<Uint8Array>;

interface WatchEvent {
  type: string;
  object: JsonObject;
}

const utf8 = new TextEncoder();
const text = new TextDecoder();

/**
 * The conversion that a client wants; undefined where it takes events as they are. Custom resources are watched as long as their
 * definition stays what it is. Throws BadRequest for Tables that cannot be made.
 */
export function converter(
  context: Context,
  resource: Resource,
  accepted: Accepted,
  selection?: ConvertedSelection,
): Convert | undefined {
  const convert = plainConverter(context, resource, accepted, selection);
  const { custom } = resource;
  if (custom === undefined) return convert;
  const asDefined = (events: Uint8Array | ArrayBuffer): ReturnType<Convert> =>
    convert === undefined ? new Uint8Array(events) : convert(events);
  const unlessChanged = (isOther: boolean, events: Uint8Array | ArrayBuffer): ReturnType<Convert> =>
    isOther ? END : asDefined(events);
  return (events) => {
    const isOther = hasChanged(context, resource, custom.generation);
    return isOther instanceof Promise
      ? isOther.then((changed) => unlessChanged(changed, events))
      : unlessChanged(isOther, events);
  };
}

/** Instead of events: the watch is over. Its client begins another one, of what the definition says by now. */
export const END = new Uint8Array();

/** Whether a definition says something else by now, as of a second ago. One that goes does not: its objects' deletion is seen. */
function hasChanged(context: Context, resource: Resource, since: number): boolean | Promise<boolean> {
  const { info, around } = context;
  const { group, version, resource: plural } = resource;
  const isOther = ({ custom }: Snapshot): boolean => {
    const { generation = 0, deletionTimestamp } = custom.find(group, version, plural)?.metadata ?? {};
    return generation > since && deletionTimestamp === undefined;
  };
  const found = snapshots.get(info.cluster, around.cluster(info.cluster));
  return found instanceof Promise ? found.then(isOther) : isOther(found);
}

function plainConverter(
  context: Context,
  resource: Resource,
  accepted: Accepted,
  selection: ConvertedSelection | undefined,
): Convert | undefined {
  const { url } = context;
  const { format, as } = accepted;
  if (format === 'json' && as === undefined && resource.conversion === undefined) return undefined;
  // Before the stream begins: then it is too late for a refusal.
  if (as === 'Table') includeObject(url.searchParams.get('includeObject'));
  const sight = selection === undefined ? undefined : new Sight(selection);
  let isFirst = true;
  const encode = ({ type, object }: WatchEvent): Uint8Array[] => {
    // An error is a Status, whatever was asked for.
    if (type === 'ERROR') return [encodeEvent(type, object, format)];
    const served = object as unknown as KubeObject;
    const seen = type === 'BOOKMARK' || sight === undefined ? type : sight.see(type, served);
    if (seen === undefined) return [];
    const made = transformObject(resource, served, accepted, url) as JsonObject;
    if (as === 'Table' && !isFirst) made['columnDefinitions'] = null;
    isFirst = false;
    return [encodeEvent(seen, made, format)];
  };
  return (events) => {
    const lines = text.decode(events).split('\n').filter(Boolean);
    const all = lines.map((line) => JSON.parse(line) as WatchEvent);
    const served = converting(
      context,
      resource,
      () => all.map((event) => inOwnVersion(resource, event)),
      objectsOf(resource, all),
    );
    return served instanceof Promise
      ? served.then((ready) => joinBytes(ready.flatMap(encode)))
      : joinBytes(served.flatMap(encode));
  };
}

/** The event with its object in the version that is watched; a bookmark has nothing but metadata, and is of that version already. */
function inOwnVersion({ conversion }: Resource, event: WatchEvent): WatchEvent {
  if (conversion === undefined || event.type === 'BOOKMARK' || event.type === 'ERROR') return event;
  return { type: event.type, object: conversion.fromStored(event.object as never) as unknown as JsonObject };
}

/** What a webhook will be asked about. */
function objectsOf(resource: Resource, events: readonly WatchEvent[]): KubeObject[] {
  if (!isConvertedByWebhook(resource)) return [];
  return events.filter(({ type }) => type !== 'ERROR' && type !== 'BOOKMARK').map(({ object }) => object as never);
}

/** One event as a client reads it. */
export function encodeEvent(type: string, object: JsonObject, format: Accepted['format']): Uint8Array {
  return format === 'protobuf' ? encodeWatchEvent(type, object) : utf8.encode(`${JSON.stringify({ type, object })}\n`);
}
