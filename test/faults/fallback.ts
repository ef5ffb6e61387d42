/** Another model takes over: every reader and the callback end with one and the same answer. */

import { scriptedAnswer, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { openStream, readStream, stateOf, stateOnce, textOf } from '../hosts/gateway-client.ts';
import { readPatiently } from '../hosts/patient-reader.ts';
import type { World } from '../hosts/world.ts';

/** Adds the tests. */
export function describeFallback(world: () => World): void {
  const open = (name: string, prompt: string, fallbackModels: readonly string[]) =>
    openStream(world().host.baseUrl, name, {
      resumeUrl: world().receiver.urlFor(name),
      prompt,
      model: 'gpt-4o',
      fallbackModels,
    });

  it.concurrent('STREAM-21: before the first token the next model takes over unnoticed', async () => {
    const prompt = scriptedPrompt({ tokens: 20, status: 401, failTimes: 1 });
    const streamUrl = await open('silent', prompt, ['claude-sonnet-5-5']);
    const { events } = await readStream(streamUrl);
    expect(events.map(({ event }) => event)).not.toContain('restart');
    expect(textOf(events)).toBe(scriptedAnswer(prompt));
    expect((await world().receiver.attempt('silent')).body).toMatchObject({
      status: 'completed',
      model: 'claude-sonnet-5-5',
      provider: 'anthropic',
      answer: scriptedAnswer(prompt),
    });
  });

  it.concurrent('STREAM-20, STREAM-21: after it the answer begins again, for every tab and the callback', async () => {
    const directive = { tokens: 60, delayMs: 10, afterTokens: 30, failTimes: 1 };
    const prompt = scriptedPrompt({ ...directive, fault: 'cut' });
    const streamUrl = await open('restart', prompt, ['claude-sonnet-5-5']);
    const beginning = readStream(streamUrl, { until: (events) => events.length >= 10 });
    const first = readPatiently(streamUrl);
    await stateOnce(streamUrl, ({ lastEventSeq }) => Number(lastEventSeq) > 10);
    const second = readPatiently(streamUrl, { mood: (events) => (events === 5 ? 'cut' : 'read') });
    const before = (await beginning).events[9];
    const answer = scriptedAnswer(prompt);
    expect(await first).toMatchObject({ text: answer, restarts: 1, breaches: [] });
    expect(await second).toMatchObject({ text: answer, breaches: [] });
    const { body } = await world().receiver.attempt('restart');
    expect(body).toMatchObject({ status: 'completed', answer, model: 'claude-sonnet-5-5' });
    const after = await readStream(streamUrl, { lastEventId: before?.id ?? '' });
    const restart = JSON.parse(after.events[0]?.data ?? '{}') as Record<string, unknown>;
    expect(after.events[0]?.event).toBe('restart');
    expect(restart).toEqual({ reason: 'upstream_failed', model: 'claude-sonnet-5-5' });
    expect(textOf(after.events)).toBe(answer);
    expect(await stateOf(streamUrl)).toMatchObject({ text: answer, model: 'claude-sonnet-5-5' });
  });

  it.concurrent('STREAM-12, STREAM-21: when the last model fails too, the stream says so', async () => {
    const prompt = scriptedPrompt({ tokens: 20, fault: 'cut' }, 'Fail me twice.');
    const streamUrl = await open('both', prompt, ['claude-sonnet-5-5']);
    const { events } = await readStream(streamUrl);
    expect(events.filter(({ event }) => event === 'restart')).toHaveLength(1);
    expect(events.at(-1)?.event).toBe('error');
    expect((await world().receiver.attempt('both')).body).toMatchObject({
      status: 'failed',
      model: 'claude-sonnet-5-5',
      error: { code: 'upstream_failed' },
    });
    expect(world().vendor.countOf(prompt)).toBe(2);
  });
}
