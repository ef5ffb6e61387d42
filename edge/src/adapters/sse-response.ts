/** An SSE answer held in the stateless Worker, fed by a socket to the session's object. */

import {
  HEARTBEAT_MS,
  SSE_HEADERS,
  SSE_HEARTBEAT,
  SSE_PREAMBLE,
} from '@headwater/shared/stream/frames';
import { MAX_BUFFERED_BYTES } from '@headwater/shared/stream/readers';

/**
 * Pipes the socket's text frames into an event stream. A reader that leaves more than
 * {@link MAX_BUFFERED_BYTES} untaken is cut, and resumes with its last id.
 */
export function sseResponse(
  socket: WebSocket,
  headers: Readonly<Record<string, string>>,
): Response {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  let buffered = 0;
  let closed = false;
  let lastWriteMs = Date.now();

  const heartbeat = setInterval(() => {
    if (Date.now() - lastWriteMs >= HEARTBEAT_MS) send(SSE_HEARTBEAT);
  }, HEARTBEAT_MS / 3);

  function leave(): void {
    if (closed) return;
    closed = true;
    clearInterval(heartbeat);
    socket.close(1000);
  }

  function send(text: string): void {
    if (closed) return;
    const bytes = encoder.encode(text);
    buffered += bytes.byteLength;
    lastWriteMs = Date.now();
    writer.write(bytes).then(
      () => {
        buffered -= bytes.byteLength;
      },
      // The reader went away: nothing is owed to it.
      leave,
    );
    if (buffered > MAX_BUFFERED_BYTES) {
      leave();
      void writer.abort().catch(leave);
    }
  }

  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') send(data);
  });
  socket.addEventListener('close', () => {
    if (closed) return;
    closed = true;
    clearInterval(heartbeat);
    socket.close(1000);
    writer.close().catch(leave);
  });
  socket.accept();
  send(SSE_PREAMBLE);
  return new Response(readable, { headers: { ...SSE_HEADERS, ...headers } });
}
