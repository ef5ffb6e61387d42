/**
 * Reads the text of an event that has the shape of an earlier one without parsing it. Nearly every
 * event of an answer is the one before it with another piece of text.
 */

import type { ModelEvent } from './contract.ts';
import type { EventConverter } from './event-converter.ts';

/** Text that stands for itself in JSON. */
const PLAIN = /^[^"\\\p{Cc}]+$/u;

/**
 * Texts from this length on are left to the parser: V8 makes a slice of 13 characters and more a
 * view of the whole it was cut from (SlicedString::kMinLength), and a log would hold every read.
 */
const VIEW_LENGTH = 13;

/** Put where a text seems to stand, to see whether it comes out. */
const PROBE = 'headwater-probe';

/** Shapes that are learnt of one answer; where every event has its own, learning is in vain. */
const MAX_SHAPES = 4;

/**
 * The converter of one answer that `create` makes, with a short cut. An event that says a text and
 * nothing else is learnt: what stands before its text and after it. One that begins and ends the
 * same, and has between them what needs no parser, says that text. What was learnt is sure: a
 * second converter has said of a probe in that place that it is the text.
 */
export function recogniseTexts(create: () => EventConverter): EventConverter {
  const converter = create();
  let before = '';
  let after = '';
  let shapes = 0;

  function textOf(data: string): string | undefined {
    const length = data.length - before.length - after.length;
    if (shapes === 0 || length <= 0 || length >= VIEW_LENGTH) return undefined;
    if (!data.startsWith(before) || !data.endsWith(after)) return undefined;
    const text = data.slice(before.length, before.length + length);
    return PLAIN.test(text) ? text : undefined;
  }

  function learn(data: string, text: string): void {
    const at = data.lastIndexOf(`"${text}"`) + 1;
    if (at === 0 || !PLAIN.test(text)) return;
    const start = data.slice(0, at);
    const end = data.slice(at + text.length);
    const said: ModelEvent[] = [];
    create().convert(start + PROBE + end, said);
    // The same words may stand elsewhere in the event too.
    if (onlyText(said, 0) !== PROBE) return;
    before = start;
    after = end;
    shapes += 1;
  }

  return {
    vendor: converter.vendor,
    convert(data, batch) {
      const known = textOf(data);
      if (known !== undefined) {
        batch.push({ type: 'text', text: known });
        return;
      }
      const from = batch.length;
      converter.convert(data, batch);
      const text = shapes < MAX_SHAPES ? onlyText(batch, from) : undefined;
      if (text !== undefined) learn(data, text);
    },
    ended: converter.ended,
    whole: converter.whole,
  };
}

/** The text that is all there is in `batch` from a place on. */
function onlyText(batch: readonly ModelEvent[], from: number): string | undefined {
  const event = batch[from];
  return batch.length === from + 1 && event?.type === 'text' ? event.text : undefined;
}
