/** The watch that costs nothing: the store sends events over a hibernating WebSocket, the Worker turns them into an HTTP stream. */

import { badRequest, internalError, StatusError, tooLarge } from '../../apimachinery/errors.ts';
import { formatApiVersion, type JsonObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';
import type { WatchQuery } from '../../store/types.ts';
import type { Context } from '../context.ts';
import { asStored, convertedSelection } from '../conversion/selection.ts';
import { JSON_TYPE, listFormsOf, negotiateWatch, PROTOBUF_TYPE } from '../negotiation.ts';
import { isTrue } from '../request-info.ts';
import { listQuery } from './options.ts';
import { storeFor } from './read.ts';
import { type Convert, converter, END, encodeEvent } from './watch-events.ts';

/** Clients are cut after 400 s without a byte: a bookmark goes out more often than that. */
const BOOKMARK_EVERY = 55_000;
/** Upstream's `MinRequestTimeout`, and as much again at random, so that watches do not all end at once. */
const MIN_TIMEOUT_SECONDS = 1800;
/**
 * That a client has gone shows when something is written to it, and may take two writes. Between events a space is nothing, to readers of
 * lines and of JSON.
 */
const HEARTBEAT_MS = 15_000;
const SPACE = Uint8Array.of(0x20);
/** The longest that a timer takes. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** Bytes of events that wait for a client to read them. All watches of an isolate share its 128 MB. */
const MAX_QUEUED = 32 << 20;
/** Asks the runtime for the store's resourceVersion without waking the store. */
const VERSION_PING = 'rv';

/** GET of a collection, or of one name, with `watch`. */
export async function watch(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info } = context;
  const accepted = negotiateWatch(request, isTrue(url.searchParams.get('allowWatchBookmarks')), listFormsOf(resource));
  // One object is no list: upstream's encoder gives up at the first event, after it has said 200.
  if (accepted.as === 'PartialObjectMetadataList') return new Response('', { headers: { 'content-type': JSON_TYPE } });
  const asked = watchQuery(context, resource);
  const selection = convertedSelection(resource, asked.fieldSelector);
  const query = asStored(asked, selection);
  const headers = { upgrade: 'websocket', 'x-watch': encodeURIComponent(JSON.stringify(query)) };
  const answer = await storeFor(context, resource).fetch(new Request('https://store/watch', { headers }));
  const socket = answer.webSocket;
  if (answer.status === 413) throw tooLarge('the selectors of a watch are limited to 16 KiB');
  if (socket === null) throw badRequest(`watch of ${info.resource} could not be opened`);
  const convert = converter(context, resource, accepted, selection);
  const timeoutMs = Math.min(timeoutSeconds(url) * 1000, MAX_TIMEOUT_MS);
  const isText = accepted.format === 'json';
  const fail = (error: unknown): Uint8Array => encodeEvent('ERROR', problemOf(error), accepted.format);
  const readable = bridge(socket, query, { timeoutMs, convert, fail, isText, ended: context.audit?.opens() });
  const type = isText ? JSON_TYPE : `${PROTOBUF_TYPE};stream=watch`;
  // `identity` keeps proxies from compressing, which would hold events back.
  return new Response(readable, {
    headers: { 'content-type': type, 'content-encoding': 'identity', 'cache-control': 'no-cache, private' },
  });
}

function problemOf(error: unknown): JsonObject {
  if (error instanceof StatusError) return error.status as unknown as JsonObject;
  console.error(error);
  return internalError('an unexpected error; the server log says more').status as unknown as JsonObject;
}

function watchQuery(context: Context, resource: Resource): WatchQuery {
  const { url, info } = context;
  const q = url.searchParams;
  const selected = listQuery(resource, info, url);
  const named = info.name === '' ? undefined : `metadata.name=${info.name}`;
  const fieldSelector = [selected.fieldSelector, named].filter((s) => s !== undefined).join(',');
  const initial = q.get('sendInitialEvents');
  return {
    prefix: selected.prefix,
    ...(selected.labelSelector === undefined ? {} : { labelSelector: selected.labelSelector }),
    ...(fieldSelector === '' ? {} : { fieldSelector }),
    resourceVersion: q.get('resourceVersion') ?? '',
    ...(initial === null ? {} : { sendInitialEvents: isTrue(initial) }),
    allowWatchBookmarks: isTrue(q.get('allowWatchBookmarks')),
    apiVersion: formatApiVersion(resource),
    kind: resource.kind,
  };
}

function timeoutSeconds(url: URL): number {
  const given = Number(url.searchParams.get('timeoutSeconds') ?? 0);
  return given > 0 ? given : MIN_TIMEOUT_SECONDS * (1 + Math.random());
}

interface BridgeOptions {
  timeoutMs: number;
  convert: Convert | undefined;
  /** The last event, when events cannot be converted. */
  fail(error: unknown): Uint8Array;
  /** Between the events of a text a space is nothing. */
  isText: boolean;
  /** Called once, where somebody wants to know. */
  ended: (() => void) | undefined;
}

/** Connects a store's socket with an HTTP body: one write for each event, closed from either side. */
function bridge(
  socket: WebSocket,
  query: WatchQuery,
  { timeoutMs, convert, fail, isText, ended }: BridgeOptions,
): ReadableStream {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    clearTimeout(timeout);
    clearInterval(bookmarks);
    clearInterval(heartbeat);
    writer.close().catch(() => {});
    socket.close(1000);
    ended?.();
  };
  let queued = 0;
  const write = (event: Uint8Array | ArrayBuffer): void => {
    queued += event.byteLength;
    if (queued > MAX_QUEUED) {
      // The client lists again, when it reads again.
      writer.abort(new Error('the client does not read')).catch(() => {});
      close();
      return;
    }
    const written = (): void => {
      queued -= event.byteLength;
    };
    writer.write(event).then(written, close);
  };
  const timeout = setTimeout(close, timeoutMs);
  const bookmarks = setInterval(() => socket.send(VERSION_PING), BOOKMARK_EVERY);
  const heartbeat = setInterval(() => isText && write(SPACE), HEARTBEAT_MS);

  const deliver = (bytes: Uint8Array | ArrayBuffer): void => {
    if (bytes === END) close();
    else if (bytes.byteLength > 0) write(bytes);
  };
  /** The last of the events that wait for a webhook; those after it wait for it. */
  let waiting: Promise<void> | undefined;
  const send = (event: Uint8Array | ArrayBuffer): void => {
    const made =
      convert === undefined
        ? event
        : waiting === undefined
          ? convert(event)
          : waiting.then(() => (open ? convert(event) : END));
    if (!(made instanceof Promise)) {
      deliver(made);
      return;
    }
    queued += event.byteLength;
    const written = made
      .then(
        (bytes) => {
          if (open) deliver(bytes);
        },
        (error: unknown) => {
          if (open) write(fail(error));
          close();
        },
      )
      .then(() => {
        queued -= event.byteLength;
        if (waiting === written) waiting = undefined;
      });
    waiting = written;
  };
  let settled: string | undefined;
  const onVersion = (version: string): void => {
    // The answer to a ping may overtake events that are still being made durable; those up to the ping before are through.
    if (settled !== undefined && query.allowWatchBookmarks) send(bookmark(query, settled));
    settled = version;
  };
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') onVersion(data);
    else send(data as ArrayBuffer);
  });
  socket.addEventListener('close', close);
  socket.addEventListener('error', close);
  writer.closed.catch(close);
  socket.accept();
  return readable;
}

const utf8 = new TextEncoder();

function bookmark(query: WatchQuery, resourceVersion: string): Uint8Array {
  const object = { kind: query.kind, apiVersion: query.apiVersion, metadata: { resourceVersion } };
  return utf8.encode(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
}
