/** An SSE answer held in the stateless Worker, fed by a socket to the session's object. */

import {
  HEARTBEAT_MS,
  SSE_HEADERS,
  SSE_HEARTBEAT,
  SSE_PREAMBLE,
} from '@headwater/shared/stream/frames';
import { MAX_BUFFERED_BYTES } from '@headwater/shared/stream/readers';
import { ACKNOWLEDGE_CHARS } from './socket-subscriber.ts';

/** The object cuts a reader first; this bound holds where its count, in characters, is too kind. */
const MAX_WORKER_BYTES = 4 * MAX_BUFFERED_BYTES;

/**
 * Pipes the socket's text frames into an event stream, and tells the object what the reader took. A
 * reader that leaves more than {@link MAX_WORKER_BYTES} untaken is cut, and resumes with its last id.
 */
export function sseResponse(socket: WebSocket): Response {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  let buffered = 0;
  let closed = false;
  let lastWriteMs = Date.now();
  /** Characters of the object that the reader has taken, and the object does not know of. */
  let unacknowledged = 0;

  const heartbeat = setInterval(() => {
    if (Date.now() - lastWriteMs >= HEARTBEAT_MS) send(SSE_HEARTBEAT, false);
  }, HEARTBEAT_MS / 3);

  function leave(): void {
    if (closed) return;
    closed = true;
    clearInterval(heartbeat);
    socket.close(1000);
  }

  function acknowledge(chars: number): void {
    unacknowledged += chars;
    if (closed || unacknowledged < ACKNOWLEDGE_CHARS) return;
    socket.send(String(unacknowledged));
    unacknowledged = 0;
  }

  function send(text: string, fromObject: boolean): void {
    if (closed) return;
    const bytes = encoder.encode(text);
    buffered += bytes.byteLength;
    lastWriteMs = Date.now();
    writer.write(bytes).then(
      () => {
        buffered -= bytes.byteLength;
        if (fromObject) acknowledge(text.length);
      },
      // The reader went away: nothing is owed to it.
      leave,
    );
    if (buffered > MAX_WORKER_BYTES) {
      leave();
      void writer.abort().catch(leave);
    }
  }

  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') send(data, true);
  });
  socket.addEventListener('close', () => {
    if (closed) return;
    closed = true;
    clearInterval(heartbeat);
    socket.close(1000);
    writer.close().catch(leave);
  });
  socket.accept();
  send(SSE_PREAMBLE, false);
  return new Response(readable, { headers: SSE_HEADERS });
}
