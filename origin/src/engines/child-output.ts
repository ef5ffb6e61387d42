/** Brings what a child prints into the log, as lines that cannot break it or flood it. */

import type { Readable } from 'node:stream';

/** Longest line, in characters; the rest of it is left out. */
const MAX_LINE_CHARS = 2_000;

/** Most lines within a window; a native library in a loop must not bury the log. */
const MAX_LINES = 100;
const WINDOW_MS = 10_000;

/** What takes the lines. */
export interface OutputSink {
  line(text: string): void;
  /** So many lines were left out. */
  dropped(lines: number): void;
  nowMs(): number;
}

/** Reads a stream to its end, whether anyone wants the lines or not: a full pipe would stop the child. */
export function readOutput(stream: Readable, sink: OutputSink): void {
  let rest = '';
  let isCutting = false;
  let windowMs = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let dropped = 0;

  function give(text: string): void {
    if (text.trim() === '') return;
    const now = sink.nowMs();
    if (now - windowMs >= WINDOW_MS) {
      if (dropped > 0) sink.dropped(dropped);
      windowMs = now;
      lines = 0;
      dropped = 0;
    }
    lines += 1;
    if (lines > MAX_LINES) dropped += 1;
    else sink.line(text);
  }

  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split(/\r?\n/);
    rest = parts.pop() ?? '';
    for (const part of parts) {
      if (!isCutting) give(part.slice(0, MAX_LINE_CHARS));
      isCutting = false;
    }
    if (rest.length <= MAX_LINE_CHARS) return;
    if (!isCutting) give(rest.slice(0, MAX_LINE_CHARS));
    isCutting = true;
    rest = '';
  });
  stream.on('end', () => {
    if (!isCutting) give(rest);
    if (dropped > 0) sink.dropped(dropped);
  });
  // A pipe that breaks has ended; the child's own end is seen elsewhere.
  stream.on('error', () => undefined);
}
