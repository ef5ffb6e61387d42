/** A reader's own WebSocket, held by the session's object: the Worker is not in between. */

import { ERROR_TABLE, type WireError } from '@headwater/shared/protocol/errors';
import type { EventPosition } from '@headwater/shared/stream/event';
import { encodeReaderError, type FrameFormat } from '@headwater/shared/stream/frames';
import type { Subscriber } from '@headwater/shared/stream/ports';
import { type SocketSession, serveSocketReader } from '@headwater/shared/stream/socket-reader';

/** Normal closure, RFC 6455 §7.4.1. */
const NORMAL_CLOSURE = 1000;

/** Path on the session's object of a reader that brings its own socket. */
export const CLIENT_SOCKET_PATH = '/socket';

/** Longest pause before a replay looks again whether its reader has taken what it got, in ms. */
const MAX_DRAIN_PAUSE_MS = 32;

/**
 * Serves the reader over a new pair of sockets; the answer carries the client's end.
 *
 * The object's end is no hibernatable one. A session that has a reader waits for its model and never
 * sleeps, so hibernation would spare nothing; and workerd (2026-11-17) leaves the connection of a
 * hibernatable socket open after its close, where the client has never sent a message.
 */
export function answerClientSocket(
  session: SocketSession,
  after: EventPosition | undefined,
  failed: (thrown: unknown) => void,
): Response {
  const { 0: client, 1: socket } = new WebSocketPair();
  socket.accept();
  const reader = serveSocketReader(
    session,
    {
      subscriber: createClientSubscriber(socket),
      nowMs: Date.now,
      later(ms, run) {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
      failed,
    },
    after,
  );
  socket.addEventListener('message', ({ data }) =>
    reader.received(typeof data === 'string' ? data : undefined),
  );
  socket.addEventListener('close', () => {
    reader.left();
    close(socket, NORMAL_CLOSURE);
  });
  socket.addEventListener('error', reader.left);
  return new Response(null, { status: 101, webSocket: client });
}

/**
 * Wraps the object's end. workerd counts what the far end has not taken (`bufferedAmount`, since
 * 2026-11), but tells nobody when that falls: a replay looks again. An older one has no count, and
 * the bound on an answer's bytes is the bound on what it holds.
 */
export function createClientSubscriber(socket: WebSocket, format: FrameFormat = 'ws'): Subscriber {
  const untaken = (): number => socket.bufferedAmount ?? 0;
  const send = (frame: string): void => {
    try {
      socket.send(frame);
    } catch {
      // The reader is gone; its close event detaches it, and it resumes from the log.
    }
  };
  const closeWith = ({ code }: WireError): void => close(socket, ERROR_TABLE[code].closeCode, code);
  return {
    format,
    write(frame) {
      if (socket.readyState !== WebSocket.OPEN) return 0;
      send(frame);
      return untaken();
    },
    async drained() {
      let pauseMs = 1;
      while (socket.readyState === WebSocket.OPEN && untaken() > 0) {
        const waitMs = pauseMs;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        pauseMs = Math.min(2 * pauseMs, MAX_DRAIN_PAUSE_MS);
      }
    },
    end(error) {
      if (error === undefined) {
        close(socket, NORMAL_CLOSURE);
        return;
      }
      send(encodeReaderError(error, format));
      closeWith(error);
    },
    cut: closeWith,
  };
}

function close(socket: WebSocket, code: number, reason?: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // Closed already by the other side.
  }
}
