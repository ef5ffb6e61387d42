/** All readers of one stream: replay from the log, hand-over to live, one encoding a format. */

import type { WireError } from '../protocol/errors.ts';
import { type EventBatch, type EventPosition, isFinal, type StreamEvent } from './event.ts';
import { encodeFrames, encodeReaderRestart, type FrameFormat } from './frames.ts';
import { REPLAY_PAGE } from './log-reading.ts';
import type { StreamLog, Subscriber } from './ports.ts';

/** Bytes a reader may leave untaken before it is cut, where the host sets no other number. */
export const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * Text a replay hands over before it asks how much of it was taken, in UTF-16 units: far below
 * any bound on untaken bytes, so that no page of a long answer cuts the reader that asked for it.
 */
const REPLAY_SLICE_CHARS = 16 * 1024;

/** Bytes untaken at which a replay waits for the reader instead of reading on. */
const REPLAY_HIGH_WATER_BYTES = 32 * 1024;

interface Reader {
  readonly subscriber: Subscriber;
  /** The epoch it reads, and the number of the last event written. */
  epoch: number;
  cursor: number;
  /** A live reader is written to by `publish`; the others are on their way through the log. */
  live: boolean;
  gone: boolean;
  /** Still to be told that its last id is not known. */
  gap: boolean;
}

/** What the readers need to know of their stream. */
export interface ReadersOptions {
  readonly log: StreamLog;
  /** The last event that may be shown. */
  shown(): EventPosition;
  /**
   * The log is ahead of `shown`: another host writes it. Asked before an empty page counts as a
   * fault; resolves once `shown` has caught up.
   */
  catchUp?(): Promise<void>;
  /** The name of the model that answers. */
  model(): string;
  /** So many readers are there now. */
  changed(count: number): void;
  /** Bytes a reader may leave untaken before it is cut; it resumes with its last id. */
  readonly maxBufferedBytes?: number;
  /** A reader was ended because the log could not be read. */
  failed(thrown: unknown): void;
}

/** The readers of one stream. */
export interface Readers {
  /**
   * Serves a reader of the current epoch after the given number. With `gap` it came with an id that
   * is not of this epoch, and is told so unless the epoch itself begins with a restart.
   */
  attach(subscriber: Subscriber, afterSeq: number, ended: boolean, gap: boolean): void;
  detach(subscriber: Subscriber): void;
  /** Shows a durable batch to every live reader; after the last one they are let go. */
  publish(batch: EventBatch, last: boolean): void;
  /** Lets every reader go; with an error, those that come later are told it after the replay. */
  endAll(error?: WireError): void;
  readonly count: number;
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
  const maxBufferedBytes = options.maxBufferedBytes ?? MAX_BUFFERED_BYTES;
  const readers = new Map<Subscriber, Reader>();
  let streamEnded = false;
  let brokenBy: WireError | undefined;

  function remove(reader: Reader): void {
    reader.gone = true;
    if (readers.delete(reader.subscriber)) options.changed(readers.size);
  }

  function drop(reader: Reader, error?: WireError): void {
    if (reader.gone) return;
    remove(reader);
    reader.subscriber.end(error);
  }

  function write(reader: Reader, frames: readonly string[]): number {
    let buffered = 0;
    for (const frame of frames) buffered = reader.subscriber.write(frame);
    if (buffered > maxBufferedBytes && !reader.gone) {
      remove(reader);
      reader.subscriber.cut(TOO_SLOW);
    }
    return buffered;
  }

  /** Begins the new epoch where the answer began again; true where events wait in the log. */
  function isBehind(reader: Reader): boolean {
    const { epoch, seq } = options.shown();
    if (reader.epoch !== epoch) {
      reader.epoch = epoch;
      reader.cursor = 0;
    }
    return reader.cursor < seq;
  }

  /** Walks the log until the reader has caught up; from that turn on it is live. */
  async function replay(reader: Reader): Promise<void> {
    while (!reader.gone && isBehind(reader)) {
      const { epoch } = reader;
      const read = options.log.read({ epoch, seq: reader.cursor }, REPLAY_PAGE);
      const page = read instanceof Promise ? await read : read;
      if (reader.gone) return;
      const shown = options.shown();
      if (shown.epoch !== epoch) continue;
      if (page.length === 0) {
        await options.catchUp?.();
        if (reader.gone) return;
        if (options.shown().epoch !== epoch) continue;
        throw new Error(`the log has no event ${reader.cursor + 1}`);
      }
      if (reader.gap) tellGap(reader, page[0]);
      // Events that may not be shown yet can be in the log already: they are left to `publish`.
      await replayPage(reader, page.slice(0, shown.seq - reader.cursor));
    }
    if (reader.gone) return;
    if (reader.gap) tellGap(reader, undefined);
    if (streamEnded) drop(reader);
    else if (brokenBy !== undefined) drop(reader, brokenBy);
    else reader.live = true;
  }

  function tellGap(reader: Reader, first: StreamEvent | undefined): void {
    reader.gap = false;
    if (first?.type === 'restart') return;
    const { subscriber } = reader;
    subscriber.write(encodeReaderRestart(options.model(), subscriber.format));
  }

  /** Hands a page over, as fast as the reader takes it. */
  async function replayPage(reader: Reader, events: readonly StreamEvent[]): Promise<void> {
    const { epoch } = reader;
    for (const slice of slicesOf(events)) {
      if (reader.gone || options.shown().epoch !== epoch) return;
      const batch: EventBatch = { epoch, firstSeq: reader.cursor + 1, events: slice };
      reader.cursor += slice.length;
      const last = slice[slice.length - 1];
      if (last !== undefined && isFinal(last)) streamEnded = true;
      const buffered = write(reader, encodeFrames(batch, reader.subscriber.format));
      if (buffered > REPLAY_HIGH_WATER_BYTES) await reader.subscriber.drained();
    }
  }

  return {
    attach(subscriber, afterSeq, ended, gap) {
      streamEnded ||= ended;
      const { epoch } = options.shown();
      const reader: Reader = { subscriber, epoch, cursor: afterSeq, live: false, gone: false, gap };
      readers.set(subscriber, reader);
      options.changed(readers.size);
      replay(reader).catch((thrown: unknown) => {
        options.failed(thrown);
        drop(reader, UNREADABLE);
      });
    },
    detach(subscriber) {
      const reader = readers.get(subscriber);
      if (reader !== undefined) remove(reader);
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
        reader.epoch = batch.epoch;
        reader.cursor = lastSeq;
        write(reader, frames);
        if (last) drop(reader);
      }
    },
    endAll(error) {
      brokenBy ??= error;
      for (const reader of [...readers.values()]) drop(reader, error);
    },
    get count() {
      return readers.size;
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
