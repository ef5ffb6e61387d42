/** Runs a recorded body through a decoder, cut at chosen places: for the vendors' conversion tests. */

import type { ModelEvent } from '../../providers/contract.ts';
import type { BodyDecoder } from '../../providers/vendor-stream.ts';
import { recut } from './play.ts';

/** What a body decoded to, up to the fault if there was one. */
export interface DecodedBody {
  readonly events: readonly ModelEvent[];
  /** The events without `text`, in order. */
  readonly others: readonly ModelEvent[];
  readonly text: string;
  readonly error: unknown;
}

/** Decodes `bytes` in reads of `bytesPerRead`, all at once without it. */
export function decodeBody(
  decoder: BodyDecoder,
  bytes: Uint8Array,
  bytesPerRead: number = bytes.length,
): DecodedBody {
  const utf8 = new TextDecoder();
  const events: ModelEvent[] = [];
  let error: unknown;
  try {
    for (const read of recut([bytes], bytesPerRead)) {
      decoder.feed(utf8.decode(read, { stream: true }), events);
    }
    decoder.end(events);
  } catch (thrown) {
    error = thrown;
  }
  const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
  return { events, others: events.filter((event) => event.type !== 'text'), text, error };
}
