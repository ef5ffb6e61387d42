/** All readers of one stream: replay from the log, hand-over to live, one encoding a format. */

import type { WireError } from '../protocol/errors.ts';
import { type EventBatch, isFinal, type StreamEvent } from './event.ts';
import { encodeFrames, type FrameFormat } from './frames.ts';
import { REPLAY_PAGE } from './log-reading.ts';
import type { StreamLog, Subscriber } from './ports.ts';

/** Bytes a reader may leave untaken before it is cut; it resumes with its last id. */
export const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * Text a replay hands over before it asks how much of it was taken, in UTF-16 units: far below
 * {@link MAX_BUFFERED_BYTES}, so that no page of a long answer cuts the reader that asked for it.
 */
const REPLAY_SLICE_CHARS = 64 * 1024;

/** Bytes untaken at which a replay waits for the reader instead of reading on. */
const REPLAY_HIGH_WATER_BYTES = 64 * 1024;

interface Reader {
  readonly subscriber: Subscriber;
  /** Number of the last event written. */
  cursor: number;
  /** A live reader is written to by `publish`; the others are on their way through the log. */
  live: boolean;
  gone: boolean;
}

/** What the readers need to know of their stream. */
export interface ReadersOptions {
  readonly log: StreamLog;
  epoch(): number;
  /** Number of the last durable event. */
  head(): number;
  /** A reader was ended because the log could not be read. */
  failed(thrown: unknown): void;
}

/** The readers of one stream. */
export interface Readers {
  attach(subscriber: Subscriber, afterSeq: number, ended: boolean): void;
  detach(subscriber: Subscriber): void;
  /** Shows a durable batch to every live reader; after the last one they are let go. */
  publish(batch: EventBatch, last: boolean): void;
  /** Lets every reader go; with an error, those that come later are told it after the replay. */
  endAll(error?: WireError): void;
}

const TOO_SLOW: WireError = {
  code: 'unavailable',
  message: 'This connection read too slowly and was cut. Reconnect with the last event id.',
};

const UNREADABLE: WireError = {
  code: 'processing_failed',
  message: 'The stream could not be read. Reconnect with the last event id.',
};

/** Makes an empty set of readers. */
export function createReaders(options: ReadersOptions): Readers {
  const readers = new Map<Subscriber, Reader>();
  let streamEnded = false;
  let brokenBy: WireError | undefined;

  function drop(reader: Reader, error?: WireError): void {
    if (reader.gone) return;
    reader.gone = true;
    readers.delete(reader.subscriber);
    reader.subscriber.end(error);
  }

  function write(reader: Reader, frames: readonly string[]): number {
    let buffered = 0;
    for (const frame of frames) buffered = reader.subscriber.write(frame);
    if (buffered > MAX_BUFFERED_BYTES && !reader.gone) {
      reader.gone = true;
      readers.delete(reader.subscriber);
      reader.subscriber.cut(TOO_SLOW);
    }
    return buffered;
  }

  /** Walks the log until the reader has caught up; from that turn on it is live. */
  async function replay(reader: Reader): Promise<void> {
    while (!reader.gone && reader.cursor < options.head()) {
      const read = options.log.read(reader.cursor, REPLAY_PAGE);
      const page = read instanceof Promise ? await read : read;
      // Not yet published events may be in the log already: they are left to `publish`.
      const events = page.slice(0, options.head() - reader.cursor);
      if (reader.gone) return;
      if (events.length === 0) throw new Error(`the log has no event ${reader.cursor + 1}`);
      for (const slice of slicesOf(events)) {
        if (reader.gone) return;
        const batch: EventBatch = {
          epoch: options.epoch(),
          firstSeq: reader.cursor + 1,
          events: slice,
        };
        reader.cursor += slice.length;
        const last = slice[slice.length - 1];
        if (last !== undefined && isFinal(last)) streamEnded = true;
        const buffered = write(reader, encodeFrames(batch, reader.subscriber.format));
        if (buffered > REPLAY_HIGH_WATER_BYTES) await reader.subscriber.drained();
      }
    }
    if (streamEnded) drop(reader);
    else if (brokenBy !== undefined) drop(reader, brokenBy);
    else reader.live = true;
  }

  return {
    attach(subscriber, afterSeq, ended) {
      streamEnded ||= ended;
      const reader: Reader = { subscriber, cursor: afterSeq, live: false, gone: false };
      readers.set(subscriber, reader);
      replay(reader).catch((thrown: unknown) => {
        options.failed(thrown);
        drop(reader, UNREADABLE);
      });
    },
    detach(subscriber) {
      const reader = readers.get(subscriber);
      if (reader === undefined) return;
      reader.gone = true;
      readers.delete(subscriber);
    },
    publish(batch, last) {
      streamEnded ||= last;
      const encoded = new Map<FrameFormat, string[]>();
      const lastSeq = batch.firstSeq + batch.events.length - 1;
      for (const reader of readers.values()) {
        if (!reader.live) continue;
        const { format } = reader.subscriber;
        let frames = encoded.get(format);
        if (frames === undefined) {
          frames = encodeFrames(batch, format);
          encoded.set(format, frames);
        }
        reader.cursor = lastSeq;
        write(reader, frames);
        if (last) drop(reader);
      }
    },
    endAll(error) {
      brokenBy ??= error;
      for (const reader of [...readers.values()]) drop(reader, error);
    },
  };
}

/** Parts of a page of about {@link REPLAY_SLICE_CHARS} each, in order. */
function* slicesOf(events: readonly StreamEvent[]): Generator<readonly StreamEvent[]> {
  let from = 0;
  let chars = 0;
  for (const [at, event] of events.entries()) {
    if (event.type === 'delta') chars += event.text.length;
    if (chars < REPLAY_SLICE_CHARS) continue;
    yield events.slice(from, at + 1);
    from = at + 1;
    chars = 0;
  }
  if (from < events.length) yield events.slice(from);
}
