/** A reader of the engine over the object's end of a hibernatable WebSocket. */

import { ERROR_TABLE } from '@headwater/shared/protocol/errors';
import { encodeReaderError, type FrameFormat } from '@headwater/shared/stream/frames';
import type { Subscriber } from '@headwater/shared/stream/ports';

/** Normal closure, RFC 6455 §7.4.1: the stream has ended. */
const NORMAL_CLOSURE = 1000;

/** Wraps a socket. workerd does not tell how much a socket buffers, so `write` returns 0. */
export function createSocketSubscriber(socket: WebSocket, format: FrameFormat): Subscriber {
  const close = (code: number, reason?: string): void => {
    try {
      socket.close(code, reason);
    } catch {
      // Closed already by the other side.
    }
  };
  const send = (frame: string): void => {
    try {
      socket.send(frame);
    } catch {
      // The reader is gone; its close event detaches it, and it resumes from the log.
    }
  };
  return {
    format,
    write(frame) {
      send(frame);
      return 0;
    },
    drained: () => undefined,
    end(error) {
      if (error === undefined) return close(NORMAL_CLOSURE);
      send(encodeReaderError(error, format));
      close(ERROR_TABLE[error.code].closeCode, error.code);
    },
    cut: (error) => close(ERROR_TABLE[error.code].closeCode, error.code),
  };
}
