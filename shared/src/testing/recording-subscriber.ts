/** A reader that remembers what it was given. */

import { createParser } from 'eventsource-parser';
import type { WireError } from '../protocol/errors.ts';
import type { StreamEvent } from '../stream/event.ts';
import type { FrameFormat } from '../stream/frames.ts';
import type { Subscriber } from '../stream/ports.ts';

/** An event with its id, as a reader of the typed forms sees it. */
export type SeenEvent = StreamEvent & { readonly id: string };

/** What a reader has seen. */
export interface RecordingSubscriber extends Subscriber {
  readonly frames: readonly string[];
  /** True once it was let go; `endError` says why where it was not the end. */
  readonly ended: boolean;
  readonly endError: WireError | undefined;
  /** The events of the frames; for `ws` and `sse-json`. */
  events(): SeenEvent[];
  /** The text of all deltas. */
  text(): string;
  /** From now on nothing is taken: every byte written stays. */
  stall(): void;
  /** Takes everything, and goes on doing so. */
  take(): void;
}

/** Makes a reader that takes everything at once. */
export function createRecordingSubscriber(format: FrameFormat = 'ws'): RecordingSubscriber {
  const frames: string[] = [];
  let ended = false;
  let endError: WireError | undefined;
  let isStalled = false;
  let buffered = 0;
  let drain = Promise.withResolvers<void>();

  function events(): SeenEvent[] {
    if (format === 'ws') return frames.map((frame) => JSON.parse(frame) as SeenEvent);
    return parseSse(frames.join('')).map(({ id, data }) => seenEvent(id, data));
  }

  return {
    format,
    frames,
    get ended() {
      return ended;
    },
    get endError() {
      return endError;
    },
    write(frame) {
      if (ended) throw new Error('written to after its end');
      frames.push(frame);
      if (isStalled) buffered += new TextEncoder().encode(frame).byteLength;
      return buffered;
    },
    drained: () => (buffered === 0 ? undefined : drain.promise),
    end(error) {
      if (ended) throw new Error('ended twice');
      ended = true;
      endError = error;
    },
    cut(error) {
      if (ended) throw new Error('ended twice');
      ended = true;
      endError = error;
    },
    events,
    text: () =>
      events()
        .map((event) => (event.type === 'delta' ? event.text : ''))
        .join(''),
    stall() {
      isStalled = true;
    },
    take() {
      isStalled = false;
      buffered = 0;
      drain.resolve();
      drain = Promise.withResolvers<void>();
    },
  };
}

/** `id` is the event's; a tool call's own is `callId`, as on a socket. */
function seenEvent(id: string, data: string): SeenEvent {
  const event = JSON.parse(data) as StreamEvent;
  if (event.type !== 'tool_call' || event.id === undefined) return { ...event, id };
  return { ...event, callId: event.id, id } as SeenEvent;
}

/** One event as an event-stream parser sees it. */
export interface ParsedSse {
  readonly id: string;
  /** `''` for an unnamed event. */
  readonly name: string;
  readonly data: string;
}

/** Parses an event stream with a parser that is not ours. */
export function parseSse(text: string): ParsedSse[] {
  const seen: ParsedSse[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => seen.push({ id: id ?? '', name: event ?? '', data }),
    onError: (error) => {
      throw error;
    },
  });
  parser.feed(text);
  return seen;
}
