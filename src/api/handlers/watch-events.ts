/** Events of a watch in another form than the store sends them: other versions, Tables, metadata alone, protobuf. */
import { encodeWatchEvent } from '../../apimachinery/codec/index.ts';
import type { JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';
import { converting, isConvertedByWebhook } from '../conversion/index.ts';
import type { Accepted } from '../negotiation.ts';
import { includeObject } from '../printers/table.ts';
import { transformObject } from '../printers/transform.ts';

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

/** The conversion that a client wants; undefined where it takes events as they are. Throws BadRequest for Tables that cannot be made. */
export function converter(context: Context, resource: Resource, accepted: Accepted): Convert | undefined {
  const { url } = context;
  const { format, as } = accepted;
  if (format === 'json' && as === undefined && resource.conversion === undefined) return undefined;
  // Before the stream begins: then it is too late for a refusal.
  if (as === 'Table') includeObject(url.searchParams.get('includeObject'));
  let isFirst = true;
  const convert = ({ type, object }: WatchEvent): JsonObject => {
    // An error is a Status, whatever was asked for.
    if (type === 'ERROR') return object;
    const stored = object as unknown as KubeObject;
    // A bookmark has nothing but metadata, and is of the right version already.
    const served = type === 'BOOKMARK' ? stored : (resource.conversion?.fromStored(stored) ?? stored);
    const made = transformObject(resource, served, accepted, url) as JsonObject;
    if (as === 'Table' && !isFirst) made['columnDefinitions'] = null;
    isFirst = false;
    return made;
  };
  return (events) => {
    const lines = text.decode(events).split('\n').filter(Boolean);
    const all = lines.map((line) => JSON.parse(line) as WatchEvent);
    const make = (): Uint8Array => {
      const made = all.map((event): Uint8Array => encodeEvent(event.type, convert(event), format));
      return made.length === 1 ? (made[0] as Uint8Array) : joined(made);
    };
    return converting(context, resource, make, objectsOf(resource, all));
  };
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

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, { byteLength }) => size + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
