/** A body for clients that read it from a WebSocket (upstream's `wsstream.Reader`): each message is a piece of it. */

/**
 * How much a client is sent, in bytes. The runtime takes whatever is sent at once, keeps what the client does not read, and does not tell
 * how much that is: nothing less than the whole is sure to be all that a client makes it keep. All clients of an isolate share its 128 MB.
 */
const MAX_SENT = 32 << 20;
const NORMAL = 1000;
const FAILED = 1011;
const TRY_AGAIN_LATER = 1013;

/**
 * Answers with a WebSocket that sends the body and closes at its end, with 1013 where there is more of it than one client gets. A client
 * that goes ends the body.
 */
export function overWebSocket(body: ReadableStream, protocol: string): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  server.addEventListener('close', cancel);
  server.addEventListener('error', cancel);
  const pump = async (): Promise<void> => {
    for (let sent = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      sent += value.byteLength;
      if (sent > MAX_SENT) {
        cancel();
        server.close(TRY_AGAIN_LATER, `a WebSocket carries ${MAX_SENT >> 20} MiB: ask for the rest with another`);
        return;
      }
      server.send(value);
    }
    server.close(NORMAL);
  };
  pump().catch(() => server.close(FAILED));
  const headers: HeadersInit = protocol === '' ? {} : { 'sec-websocket-protocol': protocol };
  return new Response(null, { status: 101, webSocket: client, headers });
}
