/** What every {@link StreamLog} must do. */

import { describe, expect, it } from 'vitest';
import type { EventBatch, EventPosition, StreamEvent } from '../stream/event.ts';
import type { StreamLog } from '../stream/ports.ts';

/** An empty log; `reopen` is there where a log outlives what holds it. */
export interface StreamLogSubject {
  readonly log: StreamLog;
  /** The same log, opened as a restarted host would. */
  readonly reopen?: () => StreamLog | Promise<StreamLog>;
}

/** Runs a test with an empty log, wherever that must happen. */
export type WithStreamLog = (test: (subject: StreamLogSubject) => Promise<void>) => Promise<void>;

const EPOCH = 1_893_456_000;

const past = (seq: number): EventPosition => ({ epoch: EPOCH, seq });

const delta = (text: string): StreamEvent => ({ type: 'delta', text });

const batchAt = (firstSeq: number, ...texts: string[]): EventBatch => ({
  epoch: EPOCH,
  firstSeq,
  events: texts.map(delta),
});

/**
 * Declares the suite. `durable` adds what a log owes that survives a restart once it is sealed,
 * `goesOn` what one owes that survives at any time.
 */
export function describeStreamLogContract(
  name: string,
  withLog: WithStreamLog,
  { durable, goesOn = false }: { readonly durable: boolean; readonly goesOn?: boolean },
): void {
  describe(`stream log: ${name}`, () => {
    it('an empty log has no events and ends at 0', () =>
      withLog(async ({ log }) => {
        expect(await log.head()).toEqual({ epoch: 0, seq: 0 });
        expect(await log.read(past(0), 10)).toEqual([]);
      }));

    it('STREAM-5: appended events are read back in order, and the head is the last of them', () =>
      withLog(async ({ log }) => {
        await log.append(batchAt(1, 'a', 'b'));
        await log.append(batchAt(3, 'c'));
        expect(await log.head()).toEqual({ epoch: EPOCH, seq: 3 });
        expect(await log.read(past(0), 10)).toEqual(['a', 'b', 'c'].map(delta));
      }));

    it('appends that are not awaited keep the order of their calls', () =>
      withLog(async ({ log }) => {
        await Promise.all([log.append(batchAt(1, 'a')), log.append(batchAt(2, 'b', 'c'))]);
        expect(await log.read(past(0), 10)).toEqual(['a', 'b', 'c'].map(delta));
      }));

    it('a read begins and stops in the middle of a batch, and returns at most its limit', () =>
      withLog(async ({ log }) => {
        await log.append(batchAt(1, 'a', 'b', 'c'));
        await log.append(batchAt(4, 'd', 'e', 'f'));
        expect(await log.read(past(1), 3)).toEqual(['b', 'c', 'd'].map(delta));
        expect(await log.read(past(4), 1)).toEqual([delta('e')]);
        expect(await log.read(past(5), 100)).toEqual([delta('f')]);
        expect(await log.read(past(6), 100)).toEqual([]);
        expect(await log.read(past(60), 100)).toEqual([]);
      }));

    it('reads of any page size, joined, are the whole log', () =>
      withLog(async ({ log }) => {
        const texts = Array.from({ length: 40 }, (_, at) => `t${at}`);
        let seq = 1;
        for (const size of [1, 7, 2, 30]) {
          await log.append(batchAt(seq, ...texts.slice(seq - 1, seq - 1 + size)));
          seq += size;
        }
        for (const limit of [1, 3, 16, 512]) {
          const seen: StreamEvent[] = [];
          for (;;) {
            const page = await log.read(past(seen.length), limit);
            if (page.length === 0) break;
            expect(page.length).toBeLessThanOrEqual(limit);
            seen.push(...page);
          }
          expect(seen).toEqual(texts.map(delta));
        }
      }));

    it('a batch that is not next is refused with `conflict`, and nothing of it is kept', () =>
      withLog(async ({ log }) => {
        await log.append(batchAt(1, 'a', 'b'));
        for (const firstSeq of [1, 2, 4, 0]) {
          const append = async () => log.append(batchAt(firstSeq, 'x'));
          await expect(append()).rejects.toMatchObject({ code: 'conflict' });
        }
        expect(await log.read(past(0), 10)).toEqual(['a', 'b'].map(delta));
        await log.append(batchAt(3, 'c'));
        expect(await log.head()).toEqual({ epoch: EPOCH, seq: 3 });
      }));

    it('every kind of event comes back as it was, whatever its text', () =>
      withLog(async ({ log }) => {
        const events: StreamEvent[] = [
          delta('\u0000 "\\ \r\n\u2028 é 漢 \u{1F30A}'),
          delta("'; DROP TABLE log; --"),
          { type: 'usage', inputTokens: 3, outputTokens: 5, source: 'provider' },
          { type: 'error', code: 'upstream_failed', message: 'It broke.' },
          { type: 'done', status: 'cancelled', finishReason: null },
        ];
        await log.append({ epoch: EPOCH, firstSeq: 1, events });
        expect(await log.read(past(0), 10)).toEqual(events);
      }));

    it('a dropped log is as if new', () =>
      withLog(async ({ log }) => {
        await log.append(batchAt(1, 'a', 'b'));
        await log.drop();
        expect(await log.head()).toEqual({ epoch: 0, seq: 0 });
        expect(await log.read(past(0), 10)).toEqual([]);
        await log.append({ ...batchAt(1, 'z'), epoch: EPOCH + 1 });
        expect(await log.head()).toEqual({ epoch: EPOCH + 1, seq: 1 });
        expect(await log.read({ epoch: EPOCH + 1, seq: 0 }, 10)).toEqual([delta('z')]);
      }));

    it('STREAM-20: a later epoch that begins with 1 replaces the one before it', () =>
      withLog(async ({ log }) => {
        await log.append(batchAt(1, 'a', 'b', 'c'));
        await log.append({ ...batchAt(1, 'x', 'y'), epoch: EPOCH + 7 });
        await log.append({ ...batchAt(3, 'z'), epoch: EPOCH + 7 });
        expect(await log.head()).toEqual({ epoch: EPOCH + 7, seq: 3 });
        expect(await log.read({ epoch: EPOCH + 7, seq: 0 }, 10)).toEqual(
          ['x', 'y', 'z'].map(delta),
        );
        for (const seq of [0, 1, 2, 3]) expect(await log.read(past(seq), 10)).toEqual([]);
      }));

    it('STREAM-20: an earlier epoch, and a later one that does not begin with 1, are refused', () =>
      withLog(async ({ log }) => {
        await log.append(batchAt(1, 'a', 'b'));
        for (const [epoch, firstSeq] of [
          [EPOCH - 1, 1],
          [EPOCH - 1, 3],
          [EPOCH + 1, 2],
          [EPOCH + 1, 3],
        ] as const) {
          const append = async () => log.append({ ...batchAt(firstSeq, 'x'), epoch });
          await expect(append()).rejects.toMatchObject({ code: 'conflict' });
        }
        expect(await log.read(past(0), 10)).toEqual(['a', 'b'].map(delta));
      }));

    if (durable)
      it('STREAM-7: a sealed log, opened again, has every event', () =>
        withLog(async ({ log, reopen }) => {
          if (reopen === undefined) throw new Error('a durable log must be opened again');
          const texts = Array.from({ length: 300 }, (_, at) => `${at}:${'é漢'.repeat(3_000)}`);
          await log.append(batchAt(1, ...texts.slice(0, 200)));
          await log.append(batchAt(201, ...texts.slice(200)));
          await log.seal();
          const again = await reopen();
          expect(await again.head()).toEqual({ epoch: EPOCH, seq: 300 });
          expect(await again.read(past(0), 1000)).toEqual(texts.map(delta));
          await again.drop();
          expect(await (await reopen()).head()).toEqual({ epoch: 0, seq: 0 });
        }));

    if (goesOn)
      it('STREAM-16: a log opened again before its end has every event, and goes on after them', () =>
        withLog(async ({ log, reopen }) => {
          if (reopen === undefined)
            throw new Error('a durable log must be able to be opened again');
          await log.append(batchAt(1, 'a', 'b'));
          const again = await reopen();
          expect(await again.head()).toEqual({ epoch: EPOCH, seq: 2 });
          await again.append(batchAt(3, 'c'));
          expect(await again.read(past(0), 10)).toEqual(['a', 'b', 'c'].map(delta));
        }));
  });
}
