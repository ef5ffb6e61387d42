/** What every subscriber must do, from the duties in `stream/ports.ts`. */

import { describe, expect, it } from 'vitest';
import type { Subscriber } from '../stream/ports.ts';
import { parseSse } from './recording-subscriber.ts';

/** A connection of the text form, seen from both its ends. */
export interface SubscriberBench {
  readonly subscriber: Subscriber;
  /** Takes what comes; resolves with all of it once the connection has ended, however it did. */
  readAll(): Promise<string>;
  /** The reader goes away without a word; resolves when the host has noticed. */
  leave(): Promise<void>;
}

const frame = (seq: number, text: string) => `id: 7-${seq}\ndata: ${text}\n\n`;

/** Describes the suite; `connect` makes a connection with the format `sse-text`. */
export function describeSubscriberContract(
  name: string,
  connect: () => Promise<SubscriberBench>,
): void {
  describe(`subscriber contract: ${name}`, () => {
    it('PORT-2: hands over every frame, in order, before its end', async () => {
      const { subscriber, readAll } = await connect();
      const reading = readAll();
      for (let seq = 1; seq <= 100; seq += 1) subscriber.write(frame(seq, `t${seq}`));
      subscriber.end();
      const seen = parseSse(await reading);
      expect(seen.map(({ id, data }) => `${id} ${data}`)).toEqual(
        Array.from({ length: 100 }, (_, at) => `7-${at + 1} t${at + 1}`),
      );
    });

    it('PORT-2: an end with an error tells its code after everything else, without an id', async () => {
      const { subscriber, readAll } = await connect();
      const reading = readAll();
      subscriber.write(frame(1, 'a'));
      subscriber.end({ code: 'processing_failed', message: 'It broke.' });
      const [delta, error] = parseSse(await reading);
      expect(delta).toMatchObject({ id: '7-1', data: 'a' });
      expect(error).toMatchObject({ id: '', name: 'error' });
      expect(JSON.parse(error?.data ?? '')).toEqual({
        code: 'processing_failed',
        message: 'It broke.',
      });
    });

    it('PORT-2: a cut ends the connection and writes no event', async () => {
      const { subscriber, readAll } = await connect();
      const reading = readAll();
      subscriber.cut({ code: 'unavailable', message: 'Too slow.' });
      expect(parseSse(await reading)).toEqual([]);
    });

    it('PORT-2: a reader that is gone is written to, waited for and ended without an error', async () => {
      const { subscriber, leave } = await connect();
      await leave();
      for (let seq = 1; seq <= 10; seq += 1) subscriber.write(frame(seq, 'x'.repeat(100_000)));
      subscriber.end();
      subscriber.cut({ code: 'unavailable', message: 'Too late.' });
    });

    it('PORT-2: waits for a reader until it has taken what was written', async () => {
      const { subscriber, readAll } = await connect();
      const text = 'x'.repeat(200_000);
      let written = 0;
      const reading = readAll();
      while (written < 10) {
        subscriber.write(frame(written + 1, text));
        written += 1;
        await subscriber.drained();
      }
      subscriber.end();
      expect(parseSse(await reading)).toHaveLength(10);
    });
  });
}
