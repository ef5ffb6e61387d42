/** Decodes a vendor's server-sent events, cut anywhere, into model events. */

import { createParser } from 'eventsource-parser';
import type { ModelEvent } from './contract.ts';
import { cut, type EventConverter, MAX_EVENT_LENGTH, oversized } from './event-converter.ts';
import type { BodyDecoder } from './vendor-stream.ts';

/**
 * A decoder for one SSE body. Only `data` counts: both vendors repeat the event's type inside it.
 * An event without its closing blank line is dropped, as the SSE standard says, and so never counts
 * as an end marker.
 */
export function createSseDecoder(converter: EventConverter): BodyDecoder {
  let current: ModelEvent[] = [];
  const parser = createParser({
    maxBufferSize: MAX_EVENT_LENGTH,
    onEvent: ({ data }) => {
      if (converter.ended()) return;
      // The parser's bound is on what it keeps between reads; one huge read passes it.
      if (data.length > MAX_EVENT_LENGTH) throw oversized(converter.vendor);
      converter.convert(data, current);
    },
    onError: (error) => {
      // Other errors are unknown fields, which the standard says to ignore.
      if (error.type === 'max-buffer-size-exceeded') throw oversized(converter.vendor);
    },
  });
  return {
    feed(text, batch) {
      current = batch;
      parser.feed(text);
    },
    end() {
      if (!converter.whole()) throw cut(converter.vendor);
    },
    get ended() {
      return converter.ended();
    },
  };
}
