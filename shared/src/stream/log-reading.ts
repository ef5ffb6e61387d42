/** Reads of a whole log. A log that answers at once is read without a turn of the event loop. */

import { type EventPosition, isFinal, type StreamEvent, type Usage } from './event.ts';
import type { MaybePromise, StreamLog } from './ports.ts';

/** Events a page: a replay holds one page in memory, whatever the stream's length. */
export const REPLAY_PAGE = 512;

/** A log's whole text, as two uses need it. */
type Reader = (events: readonly StreamEvent[]) => string;

const answerIn: Reader = (events) => {
  let text = '';
  for (const event of events) if (event.type === 'delta') text += event.text;
  return text;
};

/** What the model wrote, tool calls included: what its tokens are counted from. */
const writtenIn: Reader = (events) => {
  let text = '';
  for (const event of events) {
    if (event.type === 'delta') text += event.text;
    else if (event.type === 'tool_call') text += (event.name ?? '') + event.arguments;
  }
  return text;
};

/** The text of all deltas of an epoch. */
export function answerOf(log: StreamLog, epoch: number): MaybePromise<string> {
  return readAll(log, epoch, answerIn);
}

/** Everything the model wrote in an epoch. */
export function writtenOf(log: StreamLog, epoch: number): MaybePromise<string> {
  return readAll(log, epoch, writtenIn);
}

function readAll(log: StreamLog, epoch: number, textIn: Reader): MaybePromise<string> {
  let text = '';
  let seq = 0;
  for (;;) {
    const page = log.read({ epoch, seq }, REPLAY_PAGE);
    if (page instanceof Promise) return readLater(log, page, { epoch, seq }, text, textIn);
    if (page.length === 0) return text;
    text += textIn(page);
    seq += page.length;
  }
}

async function readLater(
  log: StreamLog,
  first: Promise<readonly StreamEvent[]>,
  { epoch, seq: before }: EventPosition,
  said: string,
  textIn: Reader,
): Promise<string> {
  let text = said;
  let seq = before;
  let page = await first;
  while (page.length > 0) {
    text += textIn(page);
    seq += page.length;
    page = await log.read({ epoch, seq }, REPLAY_PAGE);
  }
  return text;
}

/** The final event and the usage before it, where the log that ends at `head` has them. */
export async function finalOf(
  log: StreamLog,
  { epoch, seq }: EventPosition,
): Promise<{ usage: Usage; event: StreamEvent } | undefined> {
  const [usage, event] = await log.read({ epoch, seq: Math.max(0, seq - 2) }, 2);
  if (usage?.type !== 'usage' || event === undefined || !isFinal(event)) return undefined;
  const { type: _type, ...counts } = usage;
  return { usage: counts, event };
}
