/** Streams that the client gets over plain HTTP: the first text frame says how it goes, binary frames are the body. */
import { failure, StatusError } from '../../apimachinery/errors.ts';
import type { Status } from '../../apimachinery/meta.ts';

interface First {
  status?: Status;
  head?: { status: number; headers: Record<string, string> };
}

export interface Relayed {
  first: First;
  body: ReadableStream;
}

/** Listens to a session's socket until it is closed. Throws the Status that the node answered with instead of a body. */
export async function relay(socket: WebSocket): Promise<Relayed> {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const first = Promise.withResolvers<First>();
  let open = true;
  const end = (): void => {
    if (!open) return;
    open = false;
    writer.close().catch(() => {});
  };
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') first.resolve(JSON.parse(data) as First);
    else writer.write(new Uint8Array(data as ArrayBuffer)).catch(() => socket.close(1000));
  });
  socket.addEventListener('close', ({ code, reason }) => {
    if (code === 1000 || code === 1005) first.resolve({});
    else first.reject(new StatusError(failure(500, 'InternalError', `error dialing backend: ${reason || 'the stream ended'}`)));
    end();
  });
  socket.addEventListener('error', () => {
    first.reject(new StatusError(failure(500, 'InternalError', 'error dialing backend: the stream broke')));
    end();
  });
  writer.closed.catch(() => socket.close(1000));
  socket.accept();
  const said = await first.promise;
  if (said.status !== undefined) throw new StatusError(said.status);
  return { first: said, body: readable };
}
