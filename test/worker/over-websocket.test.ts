/** Bodies over WebSockets: whole, and bounded. */
import { describe, expect, it } from 'vitest';
import { overWebSocket } from '../../src/api/streaming/over-websocket.ts';

const MIB = 1 << 20;

interface Source {
  body: ReadableStream;
  /** Bytes that were taken of it. */
  taken(): number;
  cancelled: Promise<void>;
}

/** A body of so many pieces of a MiB, and whoever is interested in it. */
function source(pieces: number, fails = false): Source {
  let count = 0;
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream(
    {
      pull(controller) {
        if (count < pieces) {
          controller.enqueue(new Uint8Array(MIB).fill(count));
          count++;
        } else if (fails) controller.error(new Error('it broke'));
        else controller.close();
      },
      cancel: () => cancelled.resolve(),
    },
    { highWaterMark: 0 },
  );
  return { body, taken: () => count * MIB, cancelled: cancelled.promise };
}

interface Heard {
  size: number;
  code: number;
  reason: string;
}

function listen(socket: WebSocket | null): Promise<Heard> {
  return new Promise((resolve) => {
    let size = 0;
    if (socket === null) throw new Error('no socket');
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => {
      size += (data as ArrayBuffer).byteLength;
    });
    socket.addEventListener('close', ({ code, reason }) => resolve({ size, code, reason }));
    socket.accept();
  });
}

describe('a body over a WebSocket', () => {
  it.each<[string, number, boolean, object]>([
    ['nothing', 0, false, { size: 0, code: 1000 }],
    ['all of it', 5, false, { size: 5 * MIB, code: 1000 }],
    ['as much as one client gets', 32, false, { size: 32 * MIB, code: 1000 }],
    ['more', 33, false, { size: 32 * MIB, code: 1013, reason: expect.stringContaining('32 MiB') }],
    ['what breaks', 2, true, { size: 2 * MIB, code: 1011 }],
  ])('is heard: %s', async (_, pieces, fails, expected) => {
    const { webSocket, headers } = overWebSocket(source(pieces, fails).body, 'binary.k8s.io');
    expect(headers.get('sec-websocket-protocol')).toBe('binary.k8s.io');
    expect(await listen(webSocket)).toMatchObject(expected);
  });

  it('without an end is given up for a client that does not read', async () => {
    const { body, taken, cancelled } = source(Number.POSITIVE_INFINITY);
    const { webSocket } = overWebSocket(body, '');
    await cancelled;
    expect(taken()).toBe(33 * MIB);
    // What it has been sent is still its own.
    expect(await listen(webSocket)).toMatchObject({ size: 32 * MIB, code: 1013 });
  });

  it('ends with its client', async () => {
    let ended = false;
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new Uint8Array(1)),
      cancel: () => {
        ended = true;
      },
    });
    const { webSocket } = overWebSocket(body, '');
    webSocket?.accept();
    webSocket?.close(1000);
    await expect.poll(() => ended).toBe(true);
  });
});
