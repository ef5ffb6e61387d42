/** A reader of the engine over a WebSocket of Node. */

import type { Duplex } from 'node:stream';
import type { WebSocket } from '@fastify/websocket';
import { ERROR_TABLE } from '@headwater/shared/protocol/errors';
import { encodeReaderError, type FrameFormat } from '@headwater/shared/stream/frames';
import type { Subscriber } from '@headwater/shared/stream/ports';

/** Normal closure, RFC 6455 §7.4.1: the stream has ended. */
const NORMAL_CLOSURE = 1000;

/**
 * Time that a reader which was cut has to take what is on the line already, and with it the close
 * code, in ms. A reader that takes nothing holds its memory for so long.
 */
const CUT_GRACE_MS = 2_000;

/** Wraps an open socket; `line` is the connection under it, without compression in between. */
export function createWsSubscriber(
  socket: WebSocket,
  line: Duplex,
  options: { readonly format?: FrameFormat; readonly cutGraceMs?: number } = {},
): Subscriber {
  const { format = 'ws', cutGraceMs = CUT_GRACE_MS } = options;
  const write = (frame: string): number => {
    if (socket.readyState !== socket.OPEN) return 0;
    socket.send(frame);
    return socket.bufferedAmount;
  };
  return {
    format,
    write,
    drained() {
      if (line.destroyed || !line.writableNeedDrain) return undefined;
      return new Promise((resolve) => {
        const over = () => {
          line.off('drain', over);
          line.off('close', over);
          resolve();
        };
        line.on('drain', over);
        line.on('close', over);
      });
    },
    end(error) {
      if (error === undefined) {
        socket.close(NORMAL_CLOSURE);
        return;
      }
      write(encodeReaderError(error, format));
      socket.close(ERROR_TABLE[error.code].closeCode, error.code);
    },
    cut(error) {
      socket.close(ERROR_TABLE[error.code].closeCode, error.code);
      const late = setTimeout(() => socket.terminate(), cutGraceMs);
      socket.once('close', () => clearTimeout(late));
    },
  };
}
