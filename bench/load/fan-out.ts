/** One stream with many readers, from the first connection to the last event. */

import type { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { call, readText } from './http.ts';
import type { FanOutJob, FanOutResult } from './job.ts';
import { createExchanges, type Exchange, tokensOf } from './prompts.ts';
import { publish } from './publish.ts';
import { openRawReader, type RawReader } from './raw-reader.ts';

/** Connections that are opened together. */
const AT_ONCE = 50;

/** One reader in so many is read word by word; all others must have got the same bytes as they. */
const SAMPLED = 100;

/** Time to attach, and to read to the end after the last event was due, in ms. */
const PATIENCE_MS = 30_000;

const POLL_MS = 5;

/** Faulty readers that are named. */
const SHOWN = 3;

/** What it needs. */
export interface FanOutOptions {
  readonly job: FanOutJob;
  /** Makes the gateway's stream for an exchange; resolves to its address. */
  openStream(exchange: Exchange): Promise<string>;
  readonly agent: Agent;
  /** Called when all readers are there; resolves when it may go on. */
  attached(): Promise<void>;
  /** Resolves when the callbacks are there. */
  settled(): Promise<void>;
}

let channels = 0;

/** Runs it. What went wrong is in the result; rejects only where no stream could be made. */
export async function fanOut(options: FanOutOptions): Promise<FanOutResult> {
  const { job, agent, attached, settled } = options;
  const { readers: count, events, delayMs, silenceMs, target } = job;
  const failures: string[] = [];
  const [exchange] = createExchanges({ tokens: events, delayMs, firstDelayMs: silenceMs });
  if (exchange === undefined) throw new Error('no exchange');
  channels += 1;
  const isNchan = target.kind === 'nchan';
  const url = isNchan
    ? `${target.baseUrl}/subscribe/bench${channels}`
    : await options.openStream(exchange);

  const readers: RawReader[] = [];
  // What each has got before the first event: `retry:`, a greeting.
  let greeting = 1;
  let over = 0;
  const goals = new Map<RawReader, number>();
  const isOver = (reader: RawReader) =>
    reader.ended || reader.fault !== undefined || reader.blocks >= (goals.get(reader) ?? Infinity);
  const onNews = (reader: RawReader): void => {
    if (!goals.has(reader) || !isOver(reader)) return;
    goals.delete(reader);
    over += 1;
  };
  const untilMs = performance.now() + PATIENCE_MS;
  for (let at = 0; at < count; at += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - at) }, (_, index) =>
      openRawReader({ url, keep: (at + index) % SAMPLED === 0, onNews }),
    );
    readers.push(...batch);
    await until(
      () => batch.every(({ blocks, fault }) => blocks > 0 || fault !== undefined),
      untilMs,
    );
  }
  greeting = readers[0]?.blocks ?? greeting;
  const early = readers.filter(({ blocks }) => blocks > greeting).length;
  if (early > 0 || greeting > 1) failures.push('events came before all readers were there');

  await attached();
  const startedMs = performance.now();
  if (!job.isIdle) {
    // The gateway ends the body; Nchan never does.
    for (const reader of readers) goals.set(reader, isNchan ? greeting + events : Infinity);
    for (const reader of readers) onNews(reader);
    if (isNchan)
      await publish(
        `${target.baseUrl}/publish/bench${channels}`,
        tokensOf(exchange),
        delayMs,
        agent,
      );
    await until(
      () => over === count,
      performance.now() + silenceMs + events * delayMs + PATIENCE_MS,
    );
  }
  const wallMs = performance.now() - startedMs;
  const delivered = readers.reduce((sum, { blocks }) => sum + blocks - greeting, 0);
  const bytes = readers.reduce((sum, reader) => sum + reader.bytes, 0);
  failures.push(...(job.isIdle ? judgeIdle(readers) : judge(readers, exchange, goals)));
  for (const reader of readers) reader.close();
  if (job.isIdle && !isNchan) await readText(await call({ url, method: 'DELETE', agent }), '');
  if (!isNchan) await settled();
  return { delivered, bytes, wallMs, failures };
}

function judgeIdle(readers: readonly RawReader[]): string[] {
  const lost = readers.filter(({ fault, ended }) => ended || fault !== undefined);
  return lost.length === 0 ? [] : [`${lost.length} idle readers were cut: ${lost[0]?.fault}`];
}

function judge(
  readers: readonly RawReader[],
  { answer }: Exchange,
  waiting: ReadonlyMap<RawReader, number>,
): string[] {
  const cut = readers.filter(({ fault }) => fault !== undefined);
  const failures = cut.slice(0, SHOWN).map(({ fault }) => `a reader was lost: ${fault}`);
  if (cut.length > SHOWN) failures.push(`${cut.length} readers were lost in all`);
  if (waiting.size > 0) failures.push(`${waiting.size} readers did not come to the end`);
  const sample = readers.filter(({ kept }) => kept.length > 0);
  for (const reader of sample) {
    const text = textOf(reader);
    if (text !== answer)
      failures.push(`a reader's text differs (${text.length} of ${answer.length})`);
  }
  const [first] = sample;
  const others = readers.filter(({ hash, bytes }) => hash !== first?.hash || bytes !== first.bytes);
  if (others.length > 0) failures.push(`${others.length} readers got other bytes than the first`);
  return failures;
}

/** The text of an answer, with every id seen once. */
function textOf({ kept }: RawReader): string {
  const texts: string[] = [];
  const ids = new Set<string>();
  const parser = createParser({
    onEvent({ id, event, data }) {
      if (id === undefined || ids.has(id)) texts.push(`(id ${id} again)`);
      else ids.add(id);
      if (event === undefined && data !== '[DONE]') texts.push(data);
    },
  });
  parser.feed(Buffer.concat(kept).toString());
  return texts.join('');
}

async function until(isTrue: () => boolean, untilMs: number): Promise<void> {
  while (!isTrue() && performance.now() < untilMs) await sleep(POLL_MS);
}
