/** A body for clients that read it from a WebSocket (upstream's `wsstream.Reader`): each message is a piece of it. */

/** Answers with a WebSocket that sends the body and closes at its end. A client that goes ends the body. */
export function overWebSocket(body: ReadableStream, protocol: string): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  server.addEventListener('close', () => void reader.cancel().catch(() => {}));
  server.addEventListener('error', () => void reader.cancel().catch(() => {}));
  const pump = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      server.send(value);
    }
    server.close(1000);
  };
  pump().catch(() => server.close(1011));
  const headers: HeadersInit = protocol === '' ? {} : { 'sec-websocket-protocol': protocol };
  return new Response(null, { status: 101, webSocket: client, headers });
}
