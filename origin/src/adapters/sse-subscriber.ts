/** A reader of the engine over a Node HTTP response. */

import type { ServerResponse } from 'node:http';
import {
  encodeReaderError,
  type FrameFormat,
  HEARTBEAT_MS,
  SSE_HEARTBEAT,
  SSE_PREAMBLE,
} from '@headwater/shared/stream/frames';
import type { Subscriber } from '@headwater/shared/stream/ports';

/** Readers that have been silent are found by one timer, not by one each. */
const lastWriteMs = new Map<ServerResponse, number>();

const heartbeat = setInterval(() => {
  const now = Date.now();
  for (const [response, last] of lastWriteMs) {
    if (now - last < HEARTBEAT_MS) continue;
    lastWriteMs.set(response, now);
    response.write(SSE_HEARTBEAT);
  }
}, HEARTBEAT_MS / 3);
heartbeat.unref();

/** Wraps a response whose head has been written. */
export function createSseSubscriber(response: ServerResponse, format: FrameFormat): Subscriber {
  const write = (frame: string): number => {
    if (response.destroyed || response.writableEnded) return 0;
    lastWriteMs.set(response, Date.now());
    response.write(frame);
    return response.writableLength;
  };
  response.on('close', () => lastWriteMs.delete(response));
  // A reader that resets the line shows as 'close'; without a listener it would end the process.
  response.on('error', () => lastWriteMs.delete(response));
  write(SSE_PREAMBLE);
  return {
    format,
    write,
    drained() {
      if (response.destroyed || !response.writableNeedDrain) return undefined;
      return new Promise((resolve) => {
        const over = () => {
          response.off('drain', over);
          response.off('close', over);
          resolve();
        };
        response.on('drain', over);
        response.on('close', over);
      });
    },
    end(error) {
      if (error !== undefined) write(encodeReaderError(error, format));
      lastWriteMs.delete(response);
      response.end();
    },
    cut() {
      lastWriteMs.delete(response);
      // Not `end`: that would keep what a stalled reader never takes.
      response.destroy();
    },
  };
}
