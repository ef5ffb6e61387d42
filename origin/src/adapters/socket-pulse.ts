/** Finds sockets whose far end is gone without a word. */

import type { WebSocket } from '@fastify/websocket';
import { HEARTBEAT_MS } from '@headwater/shared/stream/frames';

/** Time without an answer to a ping after which a socket is ended, in ms. */
export const PONG_TIMEOUT_MS = 30_000;

/** A watch over sockets. */
export interface SocketPulse {
  watch(socket: WebSocket): void;
  /** Pings what is due, and ends what does not answer; called every few seconds. */
  beat(): void;
}

interface Watched {
  pingedMs: number;
  /** Time of the first ping that has no answer. */
  unansweredMs: number | undefined;
}

/** Makes the watch: a ping every {@link HEARTBEAT_MS}, for all sockets by one timer of the caller's. */
export function createSocketPulse(nowMs: () => number): SocketPulse {
  const sockets = new Map<WebSocket, Watched>();
  return {
    watch(socket) {
      const watched: Watched = { pingedMs: nowMs(), unansweredMs: undefined };
      sockets.set(socket, watched);
      socket.on('pong', () => {
        watched.unansweredMs = undefined;
      });
      socket.on('close', () => sockets.delete(socket));
    },
    beat() {
      const now = nowMs();
      for (const [socket, watched] of sockets) {
        const { unansweredMs, pingedMs } = watched;
        if (unansweredMs !== undefined && now - unansweredMs >= PONG_TIMEOUT_MS) {
          socket.terminate();
        } else if (now - pingedMs >= HEARTBEAT_MS && socket.readyState === socket.OPEN) {
          watched.pingedMs = now;
          watched.unansweredMs ??= now;
          socket.ping();
        }
      }
    },
  };
}
