/** containerd's own event stream: says at once that a task has exited or was killed for memory. */
import { credentials, Metadata, makeGenericClientConstructor } from '@grpc/grpc-js';
import type { Running } from '../types.ts';

const SUBSCRIBE = '/containerd.services.events.v1.Events/Subscribe';
const FILTERS = ['topic=="/tasks/exit"', 'topic=="/tasks/oom"'];
const RETRY_MS = 1000;

/** `SubscribeRequest{filters}` in wire form: field 1, length-delimited, once per filter. */
function subscribeRequest(filters: readonly string[]): Buffer {
  return Buffer.concat(filters.flatMap((filter) => [Buffer.from([0x0a, filter.length]), Buffer.from(filter)]));
}

/**
 * Calls `onEvent` whenever a task of `socket`'s containerd ends. What happened is not said: the caller lists anew, which it
 * must do from time to time anyway, since events are lost while containerd restarts.
 */
export function watchTasks(socket: string, onEvent: () => void): Running {
  const EventsClient = makeGenericClientConstructor({}, 'Events');
  const client = new EventsClient(`unix://${socket}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('containerd-namespace', 'k8s.io');
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let cancel = (): void => {};
  const connect = (): void => {
    const stream = client.makeServerStreamRequest(
      SUBSCRIBE,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      subscribeRequest(FILTERS),
      metadata,
    );
    cancel = () => stream.cancel();
    stream.on('data', onEvent);
    // An error is always followed by the end of the stream; `close` covers both.
    stream.on('error', () => {});
    stream.once('close', () => {
      if (!stopped) timer = setTimeout(connect, RETRY_MS);
    });
  };
  connect();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      cancel();
      client.close();
    },
  };
}
