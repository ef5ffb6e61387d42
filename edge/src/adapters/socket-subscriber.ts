/** A reader of the engine over the object's end of a hibernatable WebSocket. */

import { ERROR_TABLE } from '@headwater/shared/protocol/errors';
import { encodeReaderError, type FrameFormat } from '@headwater/shared/stream/frames';
import type { Subscriber } from '@headwater/shared/stream/ports';

/** Normal closure, RFC 6455 §7.4.1: the stream has ended. */
const NORMAL_CLOSURE = 1000;

/** Wraps a socket. workerd does not tell how much a socket buffers, so `write` returns 0. */
export function createSocketSubscriber(socket: WebSocket, format: FrameFormat): Subscriber {
  return {
    format,
    write(frame) {
      try {
        socket.send(frame);
      } catch {
        // The reader is gone; its close event detaches it, and it resumes from the log.
      }
      return 0;
    },
    drained: () => undefined,
    end(error) {
      try {
        if (error === undefined) socket.close(NORMAL_CLOSURE);
        else {
          socket.send(encodeReaderError(error, format));
          socket.close(ERROR_TABLE[error.code].closeCode, error.code);
        }
      } catch {
        // Closed already by the other side.
      }
    },
  };
}
