/** Reads of a whole log. A log that answers at once is read without a turn of the event loop. */

import { isFinal, type StreamEvent, type Usage } from './event.ts';
import type { MaybePromise, StreamLog } from './ports.ts';

/** Events a page: a replay holds one page in memory, whatever the stream's length. */
export const REPLAY_PAGE = 512;

function deltasOf(events: readonly StreamEvent[]): string {
  let text = '';
  for (const event of events) if (event.type === 'delta') text += event.text;
  return text;
}

/** The text of all deltas. */
export function answerOf(log: StreamLog): MaybePromise<string> {
  let text = '';
  let after = 0;
  for (;;) {
    const page = log.read(after, REPLAY_PAGE);
    if (page instanceof Promise) return answerLater(log, page, text, after);
    if (page.length === 0) return text;
    text += deltasOf(page);
    after += page.length;
  }
}

async function answerLater(
  log: StreamLog,
  first: Promise<readonly StreamEvent[]>,
  before: string,
  beforeSeq: number,
): Promise<string> {
  let text = before;
  let after = beforeSeq;
  let page = await first;
  while (page.length > 0) {
    text += deltasOf(page);
    after += page.length;
    page = await log.read(after, REPLAY_PAGE);
  }
  return text;
}

/** The final event and the usage before it, where the log that ends at `headSeq` has them. */
export async function finalOf(
  log: StreamLog,
  headSeq: number,
): Promise<{ usage: Usage; event: StreamEvent } | undefined> {
  const [usage, event] = await log.read(Math.max(0, headSeq - 2), 2);
  if (usage?.type !== 'usage' || event === undefined || !isFinal(event)) return undefined;
  const { type: _type, ...counts } = usage;
  return { usage: counts, event };
}
