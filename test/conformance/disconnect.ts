/** What becomes of an answer that nobody reads any more. */

import {
  countWords,
  scriptedAnswer,
  scriptedPrompt,
  scriptedUsage,
} from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { openStream, readStream, stateOnce, textOf } from '../hosts/gateway-client.ts';
import type { World } from '../hosts/world.ts';

/** Adds the tests. The host's grace time is a second. */
export function describeDisconnect(world: () => World): void {
  /** Opens a stream, reads five events and leaves. */
  async function leave(name: string, onDisconnect: string, tokens: number, seed: number) {
    const { host, receiver } = world();
    const prompt = scriptedPrompt({ tokens, delayMs: 20, seed });
    const streamUrl = await openStream(host.baseUrl, name, {
      resumeUrl: receiver.urlFor(name),
      prompt,
      onDisconnect,
    });
    const { events } = await readStream(streamUrl, { until: (seen) => seen.length >= 5 });
    return { prompt, streamUrl, events: events.slice(0, 5) };
  }

  const asked = (prompt: string) =>
    world().vendor.requests.filter(({ body }) => JSON.stringify(body).includes(escaped(prompt)));

  it('STREAM-22: `cancel` stops the model after the grace time, and keeps what was said', async () => {
    const { prompt, streamUrl } = await leave('leave-cancel', 'cancel', 300, 71);
    const { body } = await world().receiver.attempt('leave-cancel');
    expect(body).toMatchObject({ status: 'cancelled' });
    const answer = String(body['answer']);
    expect(scriptedAnswer(prompt).startsWith(answer)).toBe(true);
    expect(countWords(answer)).toBeGreaterThan(20);
    expect(countWords(answer)).toBeLessThan(200);
    expect(asked(prompt).map(({ aborted }) => aborted)).toEqual([true]);
    const { events } = await readStream(streamUrl);
    expect(textOf(events)).toBe(answer);
  });

  it('STREAM-22: a reader that comes back within the grace time gets the whole answer', async () => {
    const { prompt, streamUrl, events } = await leave('leave-back', 'cancel', 100, 72);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const rest = await readStream(streamUrl, { lastEventId: events.at(-1)?.id ?? '' });
    expect(textOf([...events, ...rest.events])).toBe(scriptedAnswer(prompt));
    const { body } = await world().receiver.attempt('leave-back');
    expect(body).toMatchObject({ status: 'completed', answer: scriptedAnswer(prompt) });
  });

  it('STREAM-23: `drain` keeps what was said, and takes the usage from the end of the answer', async () => {
    const { prompt } = await leave('leave-drain', 'drain', 130, 73);
    const { body } = await world().receiver.attempt('leave-drain');
    const { inputTokens, outputTokens } = scriptedUsage(prompt);
    expect(body).toMatchObject({
      status: 'cancelled',
      usageSource: 'provider',
      input_tokens: inputTokens,
      output_tokens: outputTokens,
    });
    const answer = String(body['answer']);
    expect(scriptedAnswer(prompt).startsWith(answer)).toBe(true);
    expect(countWords(answer)).toBeLessThan(125);
    expect(asked(prompt).map(({ aborted }) => aborted)).toEqual([false]);
  });

  it('STREAM-15: `continue` writes the answer to its end', async () => {
    const { prompt, streamUrl } = await leave('leave-continue', 'continue', 100, 74);
    const { body } = await world().receiver.attempt('leave-continue');
    expect(body).toMatchObject({ status: 'completed', answer: scriptedAnswer(prompt) });
    await stateOnce(streamUrl, ({ status }) => status === 'completed');
  });
}

/** A text as it stands inside JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
