/** Reads a session in the Worker, over the socket to its object. */

import { type ChatSink, takeFrame } from '@headwater/shared/openai-api/chat-sink';
import { ERROR_TABLE, type ErrorCode, type WireError } from '@headwater/shared/protocol/errors';
import { ACKNOWLEDGE_CHARS } from './socket-subscriber.ts';

/** Bytes that the caller may leave untaken before the object is told to wait. */
const LOW_WATER_BYTES = 64 * 1024;

/** A session that is being read. */
export interface SessionReading {
  /** The caller has taken something: so many bytes of ours are still untaken. */
  taken(untakenBytes: number): void;
  /** The caller has left, or has all it wants: the object hears of it. */
  leave(): void;
}

/** Hands the session's events to a sink, and acknowledges them at the caller's pace. */
export function readSession(socket: WebSocket, sink: ChatSink): SessionReading {
  /** Characters that the sink has, and the object does not know of. */
  let unacknowledged = 0;
  let isOver = false;

  function taken(untakenBytes: number): void {
    if (isOver || untakenBytes > LOW_WATER_BYTES || unacknowledged < ACKNOWLEDGE_CHARS) return;
    socket.send(String(unacknowledged));
    unacknowledged = 0;
  }

  function leave(): void {
    if (isOver) return;
    isOver = true;
    socket.close(1000);
  }

  socket.addEventListener('message', ({ data }) => {
    if (typeof data !== 'string' || isOver) return;
    unacknowledged += data.length;
    taken(takeFrame(sink, data));
  });
  socket.addEventListener('close', ({ reason }) => {
    leave();
    sink.closed(errorOf(reason));
  });
  socket.accept();
  return { taken, leave };
}

/** The object closes with a code of the one table as its reason, where it does so for a fault. */
function errorOf(reason: string): WireError | undefined {
  if (!(reason in ERROR_TABLE)) return undefined;
  return {
    code: reason as ErrorCode,
    message: 'The gateway ended the answer early. Send the request again.',
  };
}
