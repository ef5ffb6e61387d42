/** The job Headwater is for: one prompt in, one stream out, one callback home. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { deriveWebhookSecret } from '@headwater/shared/security/webhook-signature';
import {
  FIXED_ANSWER,
  scriptedAnswer,
  scriptedPrompt,
  scriptedUsage,
} from '@headwater/shared/testing/vendors/directive';
import { EventSource } from 'eventsource';
import { Webhook } from 'standardwebhooks';
import { expect, it, vi } from 'vitest';
import { CURL, curlMissing } from '../hosts/curl.ts';
import {
  openStream,
  readStream,
  sawEnd,
  stateOnce,
  TEST_SECRET,
  textOf,
} from '../hosts/gateway-client.ts';
import type { World } from '../hosts/world.ts';

const MODELS = { openai: 'gpt-4o', anthropic: 'claude-sonnet-5-5' } as const;

/** Adds the tests. */
export function describeMainJob(world: () => World): void {
  for (const [provider, model] of Object.entries(MODELS)) {
    it(`INIT-1, OUTBOX-1: ${provider}: the answer streams exactly and the callback brings all of it`, async () => {
      const { host, receiver } = world();
      const name = `main-${provider}`;
      const prompt = scriptedPrompt({ bytesPerWrite: 7 });
      const streamUrl = await openStream(host.baseUrl, name, {
        resumeUrl: receiver.urlFor(name),
        prompt,
        model,
        userId: 'user123',
        chatId: 'chat123',
      });
      expect(streamUrl.startsWith(`${host.baseUrl}/stream/`)).toBe(true);
      const read = await readStream(streamUrl);
      expect(read.status).toBe(200);
      expect(read.headers.get('content-type')).toContain('text/event-stream');
      expect(read.raw.startsWith('retry: ')).toBe(true);
      expect(textOf(read.events)).toBe(FIXED_ANSWER);
      expect(read.events.at(-1)?.data).toBe('[DONE]');
      expect(read.events.every((event) => event.id !== undefined && event.id !== '')).toBe(true);

      const usage = scriptedUsage(prompt);
      const callback = await receiver.attempt(name);
      expect(callback.body).toEqual({
        userId: 'user123',
        chatId: 'chat123',
        prompt,
        answer: FIXED_ANSWER,
        input_tokens: usage.inputTokens,
        output_tokens: usage.outputTokens,
        status: 'completed',
        streamId: new URL(streamUrl).pathname.split('/')[2],
        model,
        provider,
        finishReason: 'stop',
        usageSource: 'provider',
      });
    });
  }

  it('OUTBOX-2: the callback carries a Standard Webhooks signature that the published secret verifies', async () => {
    const { host, receiver } = world();
    const streamUrl = await openStream(host.baseUrl, 'signed', {
      resumeUrl: receiver.urlFor('signed'),
      prompt: 'Tell me.',
    });
    await readStream(streamUrl);
    const callback = await receiver.attempt('signed');
    const webhook = new Webhook(await deriveWebhookSecret(TEST_SECRET));
    expect(() => webhook.verify(callback.raw, { ...callback.headers })).not.toThrow();
    expect(() => webhook.verify(`${callback.raw} `, { ...callback.headers })).toThrow();
  });

  it('STREAM-15: the callback comes although the reader closes at [DONE], as browsers do', async () => {
    const { host, receiver } = world();
    const streamUrl = await openStream(host.baseUrl, 'closer', {
      resumeUrl: receiver.urlFor('closer'),
      prompt: 'Tell me.',
    });
    await readStream(streamUrl, { until: sawEnd });
    expect((await receiver.attempt('closer')).body['answer']).toBe(FIXED_ANSWER);
  });

  it('STREAM-15: the answer is written to its end although the only reader leaves in the middle', async () => {
    const { host, receiver } = world();
    const prompt = scriptedPrompt({ tokens: 30, delayMs: 10 });
    const streamUrl = await openStream(host.baseUrl, 'leaver', {
      resumeUrl: receiver.urlFor('leaver'),
      prompt,
    });
    await readStream(streamUrl, { until: (events) => events.length >= 3 });
    expect((await receiver.attempt('leaver')).body).toMatchObject({
      answer: scriptedAnswer(prompt),
      status: 'completed',
    });
  });

  it('FRAME-2: an EventSource joins the data to the exact answer, and is told to stop with 204', async () => {
    const { host, receiver } = world();
    const streamUrl = await openStream(host.baseUrl, 'eventsource', {
      resumeUrl: receiver.urlFor('eventsource'),
      prompt: 'Tell me.',
    });
    let text = '';
    const source = new EventSource(streamUrl);
    // Left open at [DONE] on purpose: it reconnects with its last id, and 204 ends it.
    const closedBy = await new Promise<number | undefined>((resolve) => {
      source.addEventListener('message', ({ data }) => {
        if (data !== '[DONE]') text += data;
      });
      source.addEventListener('error', ({ code }) => {
        if (source.readyState === EventSource.CLOSED) resolve(code);
      });
    });
    source.close();
    expect(text).toBe(FIXED_ANSWER);
    expect(closedBy).toBe(204);
  });

  it('INIT-1: `curl -N` reads the answer as it is written', async (context) => {
    const missing = curlMissing();
    if (missing !== undefined) context.skip(missing);
    const { host, receiver } = world();
    const prompt = scriptedPrompt({ text: 'curl reads this', delayMs: 5 });
    const streamUrl = await openStream(host.baseUrl, 'curl', {
      resumeUrl: receiver.urlFor('curl'),
      prompt,
    });
    const { stdout } = await promisify(execFile)(CURL, ['-sN', streamUrl]);
    expect(stdout).toMatch(/^retry: \d+\n\n/);
    expect(stdout).toMatch(/data: curl\n/);
    expect(stdout.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('STREAM-2: with start "now" the answer is written and called back without a reader', async () => {
    const { host, receiver } = world();
    const streamUrl = await openStream(host.baseUrl, 'now', {
      resumeUrl: receiver.urlFor('now'),
      prompt: 'Tell me.',
      start: 'now',
    });
    expect((await receiver.attempt('now')).body['answer']).toBe(FIXED_ANSWER);
    expect(textOf((await readStream(streamUrl)).events)).toBe(FIXED_ANSWER);
  });

  it('STREAM-3: a session nobody opens is gone after its TTL, unasked, and says so', async () => {
    const { host, receiver, vendor } = world();
    const prompt = scriptedPrompt({ text: 'never asked for' });
    const streamUrl = await openStream(host.baseUrl, 'expired', {
      resumeUrl: receiver.urlFor('expired'),
      prompt,
    });
    const callback = await receiver.attempt('expired');
    expect(callback.body).toMatchObject({
      status: 'expired',
      answer: '',
      input_tokens: 0,
      output_tokens: 0,
      error: { code: 'expired' },
    });
    const late = await fetch(streamUrl);
    expect(late.status).toBe(410);
    expect(await late.json()).toMatchObject({ error: { code: 'expired' } });
    expect(JSON.stringify(vendor.requests)).not.toContain('never asked for');
  });

  it('STREAM-14, OUTBOX-8: the state shows text, usage and the delivery', async () => {
    const { host, receiver } = world();
    const prompt = scriptedPrompt({ text: 'A short answer.' });
    const streamUrl = await openStream(host.baseUrl, 'state', {
      resumeUrl: receiver.urlFor('state'),
      prompt,
    });
    await readStream(streamUrl);
    const state = await stateOnce(
      streamUrl,
      ({ callback }) => (callback as { status?: string } | null)?.status === 'delivered',
    );
    expect(state).toMatchObject({
      status: 'completed',
      text: 'A short answer.',
      model: 'gpt-4',
      provider: 'openai',
      usage: { ...scriptedUsage(prompt), source: 'provider' },
      callback: { status: 'delivered', attempts: 1, lastStatus: 200 },
    });
  });

  it('STREAM-14: an answer without usage is counted', async () => {
    const { host, receiver } = world();
    const streamUrl = await openStream(host.baseUrl, 'counted', {
      resumeUrl: receiver.urlFor('counted'),
      prompt: scriptedPrompt({ text: 'One two three.', fault: 'no-usage' }),
    });
    await readStream(streamUrl);
    const { body } = await receiver.attempt('counted');
    expect(body).toMatchObject({ usageSource: 'tokenizer', output_tokens: 4, status: 'completed' });
    expect(body['input_tokens']).toBeGreaterThan(5);
  });

  it('STREAM-13: DELETE stops the vendor, keeps what was said, and calls back', async () => {
    const { host, receiver, vendor } = world();
    const prompt = scriptedPrompt({ tokens: 400, delayMs: 20 });
    const streamUrl = await openStream(host.baseUrl, 'cancel', {
      resumeUrl: receiver.urlFor('cancel'),
      prompt,
    });
    const reading = readStream(streamUrl, { query: { format: 'json' } });
    await stateOnce(streamUrl, ({ text }) => String(text).length > 20);
    const response = await fetch(streamUrl, { method: 'DELETE' });
    const state = (await response.json()) as { text: string; status: string };
    expect(state.status).toBe('cancelled');
    const { events } = await reading;
    expect(JSON.parse(events.at(-1)?.data ?? '')).toMatchObject({
      type: 'done',
      status: 'cancelled',
    });
    const { body } = await receiver.attempt('cancel');
    expect(body).toMatchObject({ status: 'cancelled', answer: state.text });
    expect(scriptedAnswer(prompt).startsWith(state.text)).toBe(true);
    expect(state.text.length).toBeGreaterThan(20);
    const asked = vendor.requests.filter(({ body: sent }) => JSON.stringify(sent).includes('400'));
    await vi.waitFor(() => expect(asked.map(({ aborted }) => aborted)).toEqual([true]), 15_000);
    expect((await fetch(streamUrl, { method: 'DELETE' })).status).toBe(200);
  });
}
