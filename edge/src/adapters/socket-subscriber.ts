/** A reader of the engine over the object's end of a hibernatable WebSocket. */

import { ERROR_TABLE } from '@headwater/shared/protocol/errors';
import { encodeReaderError, type FrameFormat } from '@headwater/shared/stream/frames';
import type { Subscriber } from '@headwater/shared/stream/ports';

/** Normal closure, RFC 6455 §7.4.1: the stream has ended. */
const NORMAL_CLOSURE = 1000;

/**
 * Characters that the Worker passes on to its reader before it says so. workerd tells nobody how
 * much a socket buffers, so the Worker acknowledges; a short answer needs no acknowledgement.
 */
export const ACKNOWLEDGE_CHARS = 32 * 1024;

/** A subscriber that learns from its far end what has been taken. */
export interface SocketSubscriber extends Subscriber {
  /** The far end has passed on this many more characters. */
  acknowledge(chars: number): void;
  /** The far end is gone: nothing is waited for any more. */
  left(): void;
}

/** Wraps a socket. What it has not acknowledged counts as untaken, in characters. */
export function createSocketSubscriber(socket: WebSocket, format: FrameFormat): SocketSubscriber {
  let untaken = 0;
  let drain: PromiseWithResolvers<void> | undefined;

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
  const release = (): void => {
    drain?.resolve();
    drain = undefined;
  };
  return {
    format,
    write(frame) {
      untaken += frame.length;
      send(frame);
      return untaken;
    },
    drained() {
      // Less than this may never be acknowledged.
      if (untaken <= ACKNOWLEDGE_CHARS) return undefined;
      drain ??= Promise.withResolvers<void>();
      return drain.promise;
    },
    acknowledge(chars) {
      untaken = Math.max(0, untaken - chars);
      if (untaken <= ACKNOWLEDGE_CHARS) release();
    },
    left: release,
    end(error) {
      if (error === undefined) return close(NORMAL_CLOSURE);
      send(encodeReaderError(error, format));
      close(ERROR_TABLE[error.code].closeCode, error.code);
    },
    cut: (error) => close(ERROR_TABLE[error.code].closeCode, error.code),
  };
}
