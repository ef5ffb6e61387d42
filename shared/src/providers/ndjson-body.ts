/** Decodes a vendor's newline-delimited JSON, cut anywhere, into model events. */

import type { ModelEvent } from './contract.ts';
import { cut, type EventConverter, MAX_EVENT_LENGTH, oversized } from './event-converter.ts';
import type { BodyDecoder } from './vendor-stream.ts';

/** A decoder for one NDJSON body. The last line counts without its newline. */
export function createNdjsonDecoder(converter: EventConverter): BodyDecoder {
  // Fragments, joined once: adding to one string for each read would be quadratic in a long line.
  let fragments: string[] = [];
  let pendingLength = 0;

  function line(text: string, batch: ModelEvent[]): void {
    if (text.length > MAX_EVENT_LENGTH) throw oversized(converter.vendor);
    if (converter.ended() || text.trim() === '') return;
    converter.convert(text, batch);
  }

  function takePending(): string {
    const text = fragments.join('');
    fragments = [];
    pendingLength = 0;
    return text;
  }

  return {
    feed(text, batch) {
      let from = 0;
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
        const tail = text.slice(from, at);
        from = at + 1;
        line(pendingLength === 0 ? tail : takePending() + tail, batch);
      }
      if (from === text.length) return;
      fragments.push(text.slice(from));
      pendingLength += text.length - from;
      if (pendingLength > MAX_EVENT_LENGTH) throw oversized(converter.vendor);
    },
    end(batch) {
      // Half a line is what a cut connection leaves, so it is no malformed event but a cut answer.
      const rest = takePending();
      if (!converter.whole() && isJson(rest)) line(rest, batch);
      if (!converter.whole()) throw cut(converter.vendor);
    },
    get ended() {
      return converter.ended();
    },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // The answer to the question is no.
    return false;
  }
}
