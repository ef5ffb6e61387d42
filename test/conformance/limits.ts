/** Limits that a small host has: each ends in its code, exactly, and nothing behind it is asked. */

import { scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callerToken, openStream, postInit, readStream } from '../hosts/gateway-client.ts';
import type { HostSettings, RunningHost } from '../hosts/host.ts';
import { startWorld, type World } from '../hosts/world.ts';

/** Small enough to be reached. */
const SMALL: HostSettings = {
  RATE_LIMIT_PER_MINUTE: '50',
  MAX_LIVE_STREAMS_PER_SUBJECT: '20',
  MAX_PROMPT_BYTES: '1000',
  MAX_ANSWER_BYTES: '200',
  MAX_READERS_PER_STREAM: '3',
};

/** Adds the tests, with a host of their own. */
export function describeLimits(startHost: (settings: HostSettings) => Promise<RunningHost>): void {
  let world: World;
  beforeAll(async () => {
    world = await startWorld((settings) => startHost({ ...settings, ...SMALL }));
  }, 90_000);
  afterAll(async () => {
    await world.close();
  }, 30_000);

  const bodyFor = (name: string, prompt = 'Tell me.') => ({
    resumeUrl: world.receiver.urlFor(name),
    prompt,
  });

  /** Opens streams at once; the URLs of those that opened, and the refusals. */
  async function openMany(subject: string, count: number) {
    const n8nToken = await callerToken(subject);
    const responses = await Promise.all(
      Array.from({ length: count }, () =>
        postInit(world.host.baseUrl, { ...bodyFor(subject), n8nToken }),
      ),
    );
    const answers = await Promise.all(
      responses.map(async (response) => ({
        status: response.status,
        retryAfter: Number(response.headers.get('retry-after')),
        body: (await response.json()) as {
          streamUrl?: string;
          error?: { code: string; message: string };
        },
      })),
    );
    return {
      urls: answers.flatMap(({ body }) => (body.streamUrl === undefined ? [] : [body.streamUrl])),
      refusals: answers.filter(({ status }) => status !== 200),
    };
  }

  const cancel = (streamUrl: string) => fetch(streamUrl, { method: 'DELETE' });

  /** Opens one stream once its subject may: a host tells the end of another a moment later. */
  async function openOnceFree(subject: string): Promise<string> {
    const untilMs = Date.now() + 10_000;
    for (;;) {
      const { urls, refusals } = await openMany(subject, 1);
      if (urls[0] !== undefined) return urls[0];
      if (Date.now() > untilMs) throw new Error(JSON.stringify(refusals));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('LIMIT-2: of 200 calls at once exactly MAX_LIVE_STREAMS_PER_SUBJECT open, and one more for each that ends', async () => {
    const { urls, refusals } = await openMany('limit-live', 200);
    expect(urls).toHaveLength(20);
    expect(refusals).toHaveLength(180);
    for (const { status, body, retryAfter } of refusals) {
      expect([status, body.error?.code]).toEqual([429, 'rate_limited']);
      expect(body.error?.message).toMatch(/live/);
      expect(retryAfter).toBeGreaterThan(0);
    }
    await cancel(urls[0] ?? '');
    await openOnceFree('limit-live');
    await readStream(urls[1] ?? '');
    await openOnceFree('limit-live');
    expect((await openMany('limit-live-other', 1)).urls).toHaveLength(1);
  });

  it('LIMIT-2, STREAM-3: streams that nobody comes to make room when they expire', async () => {
    expect((await openMany('limit-expired', 21)).urls).toHaveLength(20);
    await openOnceFree('limit-expired');
  });

  it('LIMIT-1, LIMIT-4: exactly RATE_LIMIT_PER_MINUTE open, whatever was refused in between', async () => {
    let opened = 0;
    for (;;) {
      const { urls, refusals } = await openMany('limit-rate', 30);
      opened += urls.length;
      await Promise.all(urls.map(cancel));
      const byRate = refusals.find(({ body }) => /minute/.test(body.error?.message ?? ''));
      if (byRate === undefined) continue;
      expect(byRate.status).toBe(429);
      expect(byRate.retryAfter).toBeGreaterThan(0);
      break;
    }
    expect(opened).toBe(50);
  });

  it('INIT-9: a prompt over MAX_PROMPT_BYTES of UTF-8 is 413, and no model is asked', async () => {
    const n8nToken = await callerToken('limit-prompt');
    const send = (prompt: string) =>
      postInit(world.host.baseUrl, { ...bodyFor('limit-prompt', prompt), n8nToken });
    expect((await send('é'.repeat(500))).status).toBe(200);
    const refused = await send('é'.repeat(501));
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({
      error: { code: 'payload_too_large', message: expect.stringContaining('MAX_PROMPT_BYTES') },
    });
    expect(world.vendor.countOf('é'.repeat(501))).toBe(0);
  });

  it('LIMIT-6: an answer over MAX_ANSWER_BYTES ends as `payload_too_large`, with what fitted', async () => {
    const prompt = scriptedPrompt({ tokens: 200 });
    const streamUrl = await openStream(world.host.baseUrl, 'limit-answer', {
      ...bodyFor('limit-answer', prompt),
    });
    const { events } = await readStream(streamUrl);
    expect(JSON.parse(events.at(-1)?.data ?? '')).toMatchObject({ code: 'payload_too_large' });
    const { body } = await world.receiver.attempt('limit-answer');
    expect(body).toMatchObject({ status: 'failed', error: { code: 'payload_too_large' } });
    const bytes = Buffer.byteLength(String(body['answer']));
    expect(bytes).toBeGreaterThan(100);
    expect(bytes).toBeLessThanOrEqual(200);
  });

  it('LIMIT-7: a reader beyond MAX_READERS_PER_STREAM is 429, and disturbs nobody', async () => {
    const prompt = scriptedPrompt({ tokens: 20, delayMs: 120 });
    const streamUrl = await openStream(world.host.baseUrl, 'limit-readers', {
      ...bodyFor('limit-readers', prompt),
    });
    const begun = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const reads = begun.map(({ resolve }) =>
      readStream(streamUrl, {
        until(events) {
          if (events.length > 0) resolve();
          return false;
        },
      }),
    );
    await Promise.all(begun.map(({ promise }) => promise));
    const fourth = await fetch(streamUrl);
    expect(fourth.status).toBe(429);
    expect(await fourth.json()).toMatchObject({ error: { code: 'rate_limited' } });
    for (const { events } of await Promise.all(reads)) {
      expect(events.at(-1)?.data).toBe('[DONE]');
    }
    expect((await readStream(streamUrl)).status).toBe(200);
  });
}
