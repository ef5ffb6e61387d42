/** A streamed chat answer, held in the stateless Worker. */

import type { ChatOutput } from '@headwater/shared/openai-api/chat-stream';
import { HEARTBEAT_MS, SSE_HEADERS, SSE_HEARTBEAT } from '@headwater/shared/stream/frames';
import { MAX_BUFFERED_BYTES } from '@headwater/shared/stream/readers';
import type { SessionReading } from './session-reading.ts';

/** The object cuts a reader first; this bound holds where its count, in characters, is too kind. */
const MAX_WORKER_BYTES = 4 * MAX_BUFFERED_BYTES;

/** Makes the response and where it is written. A caller that leaves ends the reading. */
export function createChatResponse(reading: SessionReading): {
  readonly response: Response;
  readonly output: ChatOutput;
} {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  let untaken = 0;
  let isOver = false;
  let lastWriteMs = Date.now();

  const heartbeat = setInterval(() => {
    if (Date.now() - lastWriteMs >= HEARTBEAT_MS) write(SSE_HEARTBEAT);
  }, HEARTBEAT_MS / 3);

  function leave(): void {
    isOver = true;
    clearInterval(heartbeat);
    reading.leave();
  }

  function write(text: string): number {
    if (isOver) return 0;
    const { byteLength } = send(encoder.encode(text));
    untaken += byteLength;
    lastWriteMs = Date.now();
    if (untaken > MAX_WORKER_BYTES) {
      leave();
      void writer.abort().catch(leave);
    }
    return untaken;
  }

  function send(bytes: Uint8Array): Uint8Array {
    writer.write(bytes).then(
      () => {
        untaken -= bytes.byteLength;
        reading.taken(untaken);
      },
      // The caller went away: nothing is owed to it.
      leave,
    );
    return bytes;
  }

  return {
    response: new Response(readable, { headers: SSE_HEADERS }),
    output: {
      write,
      end() {
        if (isOver) return;
        leave();
        writer.close().catch(leave);
      },
    },
  };
}
