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

/** A reader, and when it was last written to, in ms. */
interface Line {
  readonly write: (frame: string) => void;
  lastWriteMs: number;
}

/** Readers that have been silent are found by one timer, not by one each. */
const lines = new Set<Line>();

const heartbeat = setInterval(() => {
  const now = Date.now();
  for (const line of lines) if (now - line.lastWriteMs >= HEARTBEAT_MS) line.write(SSE_HEARTBEAT);
}, HEARTBEAT_MS / 3);
heartbeat.unref();

/** The last frame and its chunk: the readers of a stream are given one frame, one after the other. */
let lastFrame = '';
let lastChunk = '';

/** A frame as a chunk of HTTP/1.1 (RFC 9112 §7.1). */
function chunkOf(frame: string): string {
  if (frame !== lastFrame) {
    lastFrame = frame;
    lastChunk = `${Buffer.byteLength(frame).toString(16)}\r\n${frame}\r\n`;
  }
  return lastChunk;
}

/** Ends a chunked body. */
const LAST_CHUNK = '0\r\n\r\n';

/** Wraps a response whose head has been written by `writeHead`. */
export function createSseSubscriber(response: ServerResponse, format: FrameFormat): Subscriber {
  // Node would write size, line ends and text of each chunk as pieces of their own: of a single
  // token that costs more than the rest of its way through the process.
  const isChunked = response.chunkedEncoding;
  response.chunkedEncoding = false;

  function write(frame: string): number {
    if (response.destroyed || response.writableEnded) return 0;
    line.lastWriteMs = Date.now();
    response.write(isChunked ? chunkOf(frame) : frame);
    return response.writableLength;
  }
  const line: Line = { write, lastWriteMs: 0 };
  // One that is gone already says so no more.
  if (!response.destroyed) lines.add(line);
  response.on('close', () => lines.delete(line));
  // A reader that resets the line shows as 'close'; without a listener it would end the process.
  response.on('error', () => lines.delete(line));
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
      lines.delete(line);
      if (isChunked) response.end(LAST_CHUNK);
      else response.end();
    },
    cut() {
      lines.delete(line);
      // Not `end`: that would keep what a stalled reader never takes.
      response.destroy();
    },
  };
}
