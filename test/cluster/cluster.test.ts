import { scriptedAnswer } from '@headwater/shared/testing/vendors/directive';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithRedis } from '../../origin/src/testing/describe-with-redis.ts';
import { readStream, sawEnd, stateOf, stateOnce, textOf } from '../hosts/gateway-client.ts';
import { readPatiently } from '../hosts/patient-reader.ts';
import { at, type ClusterWorld, slowPrompt, startCluster, withCluster } from './cluster-world.ts';

/** A dead owner's session is taken over within 5 s; a busy machine may be slower. */
const TAKEOVER_LIMIT_MS = 8_000;

/** An answer of 4 s, so that a test can act in the middle of it. */
const LONG = slowPrompt(200, 20);

/** Long enough that the others have watched Redis for longer than a heartbeat lives. */
const SETTLED_MS = 3_500;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The callback came, with this answer, and every repetition of it is the same one. */
async function expectOneCallback(
  { receiver }: ClusterWorld,
  name: string,
  wanted: Readonly<Record<string, unknown>>,
): Promise<void> {
  expect((await receiver.attempt(name)).body).toMatchObject(wanted);
  const received = receiver.received(name);
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(new Set(received.map(({ raw }) => raw)).size).toBe(1);
}

/** Patient readers of one stream, by address. */
function readersAt(streamUrl: string, baseUrls: readonly string[]) {
  return Promise.all(baseUrls.map((baseUrl) => readPatiently(at(baseUrl, streamUrl))));
}

describeWithRedis('two origins on one Redis', () => {
  describe('that both live', () => {
    let running: Awaited<ReturnType<typeof startCluster>> | undefined;
    const world = (): ClusterWorld => {
      if (running === undefined) throw new Error('the cluster is not running');
      return running;
    };
    beforeAll(async () => {
      running = await startCluster();
    }, 90_000);
    afterAll(async () => {
      await running?.close();
    }, 30_000);

    it('CLUSTER-1, CLUSTER-11: ten readers spread over both see the same bytes, and the first one starts it', async () => {
      const { a, b, open, vendor } = world();
      const prompt = slowPrompt(100, 10);
      const url = await open('ten', prompt);
      const first = readStream(at(b.baseUrl, url));
      await stateOnce(at(b.baseUrl, url), ({ lastEventSeq }) => Number(lastEventSeq) > 10);
      const others = Array.from({ length: 9 }, (_, n) =>
        readStream(at(n % 2 === 0 ? a.baseUrl : b.baseUrl, url)),
      );
      const results = [await first, ...(await Promise.all(others))];
      expect(textOf(results[0]?.events ?? [])).toBe(scriptedAnswer(prompt));
      expect(new Set(results.map(({ raw }) => raw)).size).toBe(1);
      expect(vendor.countOf(prompt)).toBe(1);
      const states = await Promise.all([a, b].map(({ baseUrl }) => stateOf(at(baseUrl, url))));
      expect(states[0]).toMatchObject({ status: 'completed', text: scriptedAnswer(prompt) });
      expect({ ...states[1], callback: null }).toEqual({ ...states[0], callback: null });
      await expectOneCallback(world(), 'ten', {
        status: 'completed',
        answer: scriptedAnswer(prompt),
      });
    });

    it('CLUSTER-1, STREAM-9: a reader goes on at another instance where it stopped', async () => {
      const { a, b, open } = world();
      const prompt = slowPrompt(120, 10);
      const url = await open('moves', prompt);
      const seen = [];
      for (const baseUrl of [b.baseUrl, a.baseUrl, b.baseUrl, a.baseUrl]) {
        const lastEventId = seen.at(-1)?.id;
        const part = await readStream(at(baseUrl, url), {
          ...(lastEventId === undefined ? {} : { lastEventId }),
          until: (events) => events.length >= 20,
        });
        seen.push(...part.events.slice(0, 20));
      }
      const rest = await readStream(at(b.baseUrl, url), { lastEventId: seen.at(-1)?.id ?? '' });
      seen.push(...rest.events);
      expect(sawEnd(seen)).toBe(true);
      expect(textOf(seen)).toBe(scriptedAnswer(prompt));
      expect(seen.map(({ id }) => Number(id?.split('-')[1]))).toEqual(seen.map((_, n) => n + 1));
      const after = { lastEventId: seen.at(-1)?.id ?? '' };
      expect((await readStream(at(a.baseUrl, url), after)).status).toBe(204);
      expect((await readStream(at(b.baseUrl, url), after)).status).toBe(204);
    });

    it('CLUSTER-12: DELETE on one instance stops the request of the other to the model', async () => {
      const { a, b, open, vendor } = world();
      const asked = vendor.requests.length;
      const url = await open('stopped', LONG);
      const readers = readersAt(url, [a.baseUrl, b.baseUrl]);
      await stateOnce(at(b.baseUrl, url), ({ lastEventSeq }) => Number(lastEventSeq) > 10);
      const response = await fetch(at(b.baseUrl, url), { method: 'DELETE' });
      const view = (await response.json()) as Record<string, unknown>;
      expect(view).toMatchObject({ status: 'cancelled' });
      expect(vendor.requests.slice(asked).map(({ aborted }) => aborted)).toEqual([true]);
      for (const { text, end, breaches } of await readers) {
        expect({ text, end, breaches }).toMatchObject({
          text: view['text'],
          end: { type: 'done', status: 'cancelled' },
          breaches: [],
        });
      }
      await expectOneCallback(world(), 'stopped', { status: 'cancelled', answer: view['text'] });
    });

    it('CLUSTER-11: readers elsewhere keep a stream with `onDisconnect: cancel`', async () => {
      const { b, open, vendor } = world();
      const asked = vendor.requests.length;
      const url = await open('kept', LONG, { onDisconnect: 'cancel' });
      const { text } = await readPatiently(at(b.baseUrl, url));
      expect(text).toBe(scriptedAnswer(LONG));
      expect(vendor.requests.slice(asked).map(({ aborted }) => aborted)).toEqual([false]);
      await expectOneCallback(world(), 'kept', { status: 'completed' });
    });
  });

  it(
    'CLUSTER-6, STREAM-20: kill -9 of the owner in mid-answer: everyone ends with the same text',
    () =>
      withCluster(async (world) => {
        const { a, b, open, balancer, vendor } = world;
        await pause(SETTLED_MS);
        const url = await open('killed', LONG);
        const waiting = await open('waiting', 'Tell me.', { start: 'connect' });
        const readers = readersAt(url, [balancer.baseUrl, balancer.baseUrl, b.baseUrl, b.baseUrl]);
        await stateOnce(at(b.baseUrl, url), ({ lastEventSeq }) => Number(lastEventSeq) > 20);
        await a.kill();
        const killedAtMs = Date.now();
        while (vendor.countOf(LONG) < 2 && Date.now() - killedAtMs < TAKEOVER_LIMIT_MS)
          await pause(10);
        const takeoverMs = Date.now() - killedAtMs;
        process.stdout.write(`takeover after kill -9: ${takeoverMs} ms\n`);
        expect(takeoverMs).toBeLessThan(TAKEOVER_LIMIT_MS);
        const answer = scriptedAnswer(LONG);
        for (const result of await readers) {
          expect(result).toMatchObject({ text: answer, restarts: 1, breaches: [] });
        }
        await expectOneCallback(world, 'killed', { status: 'completed', answer });
        expect(vendor.countOf(LONG)).toBe(2);
        const late = await readStream(at(b.baseUrl, waiting));
        expect(textOf(late.events)).toBe(scriptedAnswer('Tell me.'));
        await expectOneCallback(world, 'waiting', { status: 'completed' });
      }),
    90_000,
  );

  it(
    'CLUSTER-2, CLUSTER-6: an owner that hangs is replaced, and writes nothing when it comes back',
    () =>
      withCluster(async (world) => {
        const { a, b, open, vendor } = world;
        await pause(SETTLED_MS);
        const url = await open('hung', LONG);
        const readers = readersAt(url, [a.baseUrl, a.baseUrl, b.baseUrl, b.baseUrl]);
        await stateOnce(at(b.baseUrl, url), ({ lastEventSeq }) => Number(lastEventSeq) > 20);
        a.pause();
        const pausedAtMs = Date.now();
        while (vendor.countOf(LONG) < 2 && Date.now() - pausedAtMs < TAKEOVER_LIMIT_MS)
          await pause(10);
        process.stdout.write(`takeover after SIGSTOP: ${Date.now() - pausedAtMs} ms\n`);
        expect(vendor.countOf(LONG)).toBe(2);
        await pause(500);
        a.resume();
        const answer = scriptedAnswer(LONG);
        for (const result of await readers) {
          expect(result).toMatchObject({ text: answer, restarts: 1, breaches: [] });
        }
        await expectOneCallback(world, 'hung', { status: 'completed', answer });
        const url2 = await open('again', 'Tell me.');
        expect((await readPatiently(at(b.baseUrl, url2))).text).toBe(scriptedAnswer('Tell me.'));
      }),
    90_000,
  );

  it(
    'CLUSTER-3, CLUSTER-8: kill -9 of Redis in mid-answer costs nobody an event, and nobody a stream',
    () =>
      withCluster(async (world) => {
        const { a, b, open, redis, vendor } = world;
        await pause(SETTLED_MS);
        const url = await open('redis', LONG);
        const readers = readersAt(url, [a.baseUrl, b.baseUrl]);
        await stateOnce(at(b.baseUrl, url), ({ lastEventSeq }) => Number(lastEventSeq) > 20);
        await redis.kill();
        await pause(1_500);
        await redis.restart();
        const answer = scriptedAnswer(LONG);
        for (const result of await readers) {
          expect(result).toMatchObject({ text: answer, restarts: 0, connections: 1, breaches: [] });
        }
        expect(vendor.countOf(LONG)).toBe(1);
        await expectOneCallback(world, 'redis', { status: 'completed', answer });
      }),
    60_000,
  );

  it(
    'CLUSTER-7: SIGTERM of the owner in mid-answer hands its streams over at once',
    () =>
      withCluster(async (world) => {
        const { a, b, open, balancer, vendor } = world;
        const url = await open('term', LONG);
        const readers = readersAt(url, [balancer.baseUrl, b.baseUrl]);
        await stateOnce(at(b.baseUrl, url), ({ lastEventSeq }) => Number(lastEventSeq) > 20);
        const closedAtMs = Date.now();
        const closed = a.close();
        while (vendor.countOf(LONG) < 2 && Date.now() - closedAtMs < TAKEOVER_LIMIT_MS)
          await pause(10);
        process.stdout.write(
          `handed over ${Date.now() - closedAtMs} ms after SIGTERM, of which 1000 ms are grace\n`,
        );
        expect(Date.now() - closedAtMs).toBeLessThan(4_000);
        await closed;
        const answer = scriptedAnswer(LONG);
        for (const result of await readers) {
          expect(result).toMatchObject({ text: answer, restarts: 1, breaches: [] });
        }
        await expectOneCallback(world, 'term', { status: 'completed', answer });
      }),
    60_000,
  );
});
