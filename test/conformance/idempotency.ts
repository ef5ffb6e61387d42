/** The same request twice is one stream. */

import { scriptedAnswer, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { callerToken, postInit, readStream, textOf } from '../hosts/gateway-client.ts';
import type { World } from '../hosts/world.ts';

interface Answer {
  readonly status: number;
  readonly replayed: string | null;
  readonly streamUrl: string;
  readonly code: string | undefined;
}

let prompts = 0;

/** A prompt that no other test sends. */
function aPrompt(): string {
  prompts += 1;
  return scriptedPrompt({ delayMs: 5 }, `Only once, number ${prompts}.`);
}

/** Adds the tests. */
export function describeIdempotency(world: () => World): void {
  const post = async (
    subject: string,
    key: string,
    body: Readonly<Record<string, unknown>>,
  ): Promise<Answer> => {
    const token = { n8nToken: await callerToken(subject) };
    const headers = { 'idempotency-key': key };
    const response = await postInit(world().host.baseUrl, { ...token, ...body }, headers);
    const answer = (await response.json()) as {
      streamUrl?: string;
      error?: { code: string };
    };
    return {
      status: response.status,
      replayed: response.headers.get('idempotent-replayed'),
      streamUrl: answer.streamUrl ?? '',
      code: answer.error?.code,
    };
  };

  it('IDEM-1: the same again gets the same URL, and the model is asked once', async () => {
    const { receiver, vendor } = world();
    const prompt = aPrompt();
    const body = { resumeUrl: receiver.urlFor('idem-again'), prompt };
    const first = await post('idem-again', 'k', body);
    const again = await post('idem-again', 'k', {
      prompt,
      resumeUrl: body.resumeUrl,
      max_tokens: 4096,
    });
    expect([first.status, first.replayed]).toEqual([200, null]);
    expect(again).toEqual({ ...first, replayed: 'true' });
    const reads = await Promise.all([readStream(first.streamUrl), readStream(again.streamUrl)]);
    for (const { events } of reads) expect(textOf(events)).toBe(scriptedAnswer(prompt));
    await receiver.attempt('idem-again');
    const late = await post('idem-again', 'k', body);
    expect(late).toEqual(again);
    expect(textOf((await readStream(late.streamUrl)).events)).toBe(scriptedAnswer(prompt));
    expect(vendor.countOf(prompt)).toBe(1);
    expect(receiver.received('idem-again')).toHaveLength(1);
  });

  it('IDEM-1: equal calls at once are one stream, also where it starts at once', async () => {
    const { receiver, vendor } = world();
    const prompt = aPrompt();
    const body = { resumeUrl: receiver.urlFor('idem-at-once'), prompt, start: 'now' };
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => post('idem-at-once', 'k', body)),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(new Set(answers.map(({ streamUrl }) => streamUrl)).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed === null)).toHaveLength(1);
    const { body: callback } = await receiver.attempt('idem-at-once');
    expect(callback['answer']).toBe(scriptedAnswer(prompt));
    expect(vendor.countOf(prompt)).toBe(1);
    expect(receiver.received('idem-at-once')).toHaveLength(1);
  });

  it('IDEM-2: the same key with another body is 409 `conflict`; another caller’s key is its own', async () => {
    const { receiver } = world();
    const body = { resumeUrl: receiver.urlFor('idem-other'), prompt: aPrompt() };
    const first = await post('idem-other', 'k', body);
    const conflict = await post('idem-other', 'k', { ...body, prompt: aPrompt() });
    expect([conflict.status, conflict.code]).toEqual([409, 'conflict']);
    expect((await post('idem-other', 'k2', body)).replayed).toBeNull();
    const stranger = await post('idem-stranger', 'k', body);
    expect([stranger.status, stranger.replayed]).toEqual([200, null]);
    expect(stranger.streamUrl).not.toBe(first.streamUrl);
  });

  it('IDEM-3: the same again costs no rate', async () => {
    const { receiver } = world();
    const body = { resumeUrl: receiver.urlFor('idem-rate'), prompt: aPrompt() };
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, at) => post('idem-rate', `k${at}`, body)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(60).fill(200));
    expect((await post('idem-rate', 'another', body)).code).toBe('rate_limited');
    const again = await post('idem-rate', 'k59', body);
    expect([again.status, again.streamUrl]).toEqual([200, answers[59]?.streamUrl]);
  });

  it('IDEM-7: a key that is empty, too long or not ASCII is 400, and names the header', async () => {
    const body = { resumeUrl: world().receiver.urlFor('idem-bad'), prompt: aPrompt() };
    for (const key of ['', 'x'.repeat(256), 'ä']) {
      expect(await post('idem-bad', key, body)).toMatchObject({
        status: 400,
        code: 'validation_failed',
      });
    }
  });
}
