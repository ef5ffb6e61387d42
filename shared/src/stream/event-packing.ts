/**
 * Events as compact JSON, for keeping: the texts of deltas in a row are one string and their
 * lengths, a third of what they are one by one.
 */

import type { StreamEvent } from './event.ts';

/** Deltas in a row: their texts joined, and the length of each in UTF-16 units. */
type Run = readonly [text: string, lengths: readonly number[]];

/** Packs events; {@link unpackEvents} gives them back as they were. */
export function packEvents(events: readonly StreamEvent[]): string {
  const packed: (Run | StreamEvent)[] = [];
  let texts: string[] = [];
  const endRun = () => {
    if (texts.length > 0) packed.push([texts.join(''), texts.map(({ length }) => length)]);
    texts = [];
  };
  for (const event of events) {
    if (event.type === 'delta') texts.push(event.text);
    else {
      endRun();
      packed.push(event);
    }
  }
  endRun();
  return JSON.stringify(packed);
}

/** Reads what {@link packEvents} wrote. */
export function unpackEvents(json: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  for (const entry of JSON.parse(json) as (Run | StreamEvent)[]) {
    if (!isRun(entry)) {
      events.push(entry);
      continue;
    }
    const [text, lengths] = entry;
    let from = 0;
    for (const length of lengths) {
      events.push({ type: 'delta', text: text.slice(from, from + length) });
      from += length;
    }
  }
  return events;
}

function isRun(entry: Run | StreamEvent): entry is Run {
  return Array.isArray(entry);
}
