import { scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { expect, it } from 'vitest';
import { readStream } from '../hosts/gateway-client.ts';
import type { WordWorld } from './word-world.ts';

/** The JSON events of an SSE body. */
export function eventsOf(body: string): Record<string, unknown>[] {
  const events: EventSourceMessage[] = [];
  createParser({ onEvent: (event) => events.push(event) }).feed(body);
  return events.map(({ data }) => JSON.parse(data) as Record<string, unknown>);
}

/** The text of JSON events. */
export const textIn = (events: readonly Record<string, unknown>[]): string =>
  events.map((event) => (event['type'] === 'delta' ? String(event['text']) : '')).join('');

/** POSTs and gives the whole body as text. */
export async function postForText(
  world: WordWorld,
  headers: Readonly<Record<string, string>>,
  path: string,
  body: object,
): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }> {
  const response = await fetch(`${world.host.baseUrl}${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export function describeGenerating(world: () => WordWorld): void {
  it('ANSWER-11: answers with the text, who wrote it, what it used and what it cost', async () => {
    const caller = await world().caller('generates');
    const prompt = scriptedPrompt({ text: 'Rivers bend.' }, 'Why?');
    const { status, body } = await caller.ask('POST', '/ai/generate', { prompt });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      text: 'Rivers bend.',
      response: 'Rivers bend.',
      model: 'gpt-4.1',
      provider: 'openai',
      usage: { output_tokens: 2, source: 'provider' },
      cost: { total_usd: expect.any(Number), source: 'table' },
      finish_reason: 'stop',
      cached: false,
      processing_time: expect.any(Number),
    });
  });

  it('ANSWER-7: streams, and a reader that was cut goes on by its own URL', async () => {
    const { headers } = await world().caller('streams');
    const words = Array.from({ length: 40 }, (_, n) => `word${n}`).join(' ');
    const prompt = scriptedPrompt({ text: words, delayMs: 5 });
    const answer = await postForText(world(), headers, '/ai/generate', { prompt, stream: true });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    expect(textIn(eventsOf(answer.text))).toBe(words);
    const url = answer.headers.get('x-stream-url') ?? '';
    expect(url.startsWith(`${world().host.baseUrl}/ai/stream/`)).toBe(true);
    const firstIds = [...answer.text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id ?? '');
    const again = await readStream(url, { lastEventId: firstIds[0] ?? '' });
    const rest = again.events.map(({ data }) => JSON.parse(data) as Record<string, unknown>);
    expect(again.events[0]?.id).toBe(firstIds[1]);
    const whole = textIn(eventsOf(answer.text.slice(0, answer.text.indexOf('\n\nid: ') + 2)));
    expect(words.endsWith(textIn(rest))).toBe(true);
    const state = await fetch(`${url.replace('?', '/state?')}`);
    expect(await state.json()).toMatchObject({
      status: 'completed',
      cost: { total_usd: expect.any(Number), source: 'table' },
    });
    expect(whole.length + textIn(rest).length).toBeGreaterThanOrEqual(words.length - 8);
  });

  it('ANSWER-9: an equal request is answered from what is kept, for its own caller alone', async () => {
    const [one, other] = [await world().caller('asks-twice'), await world().caller('asks-once')];
    const request = { prompt: scriptedPrompt({ text: 'Kept.' }, 'keep this'), cache: true };
    const first = await one.ask('POST', '/ai/generate', request);
    expect(first.body).toMatchObject({ text: 'Kept.', cached: false });
    // Whoever comes first waits for the database to be made.
    await expect
      .poll(async () => (await one.ask('POST', '/ai/generate', request)).body['cached'], {
        timeout: 40_000,
      })
      .toBe(true);
    expect((await other.ask('POST', '/ai/generate', request)).body['cached']).toBe(false);
    const unasked = await one.ask('POST', '/ai/generate', { prompt: request.prompt });
    expect(unasked.body['cached']).toBe(false);
  });

  it.each([
    [{}, 'prompt'],
    [{ prompt: 'Hi', model: 'no-such-model' }, 'model'],
    [{ prompt: 'Hi', policy: 'dearest' }, 'policy'],
    [{ prompt: 'Hi', temperature: 9 }, 'temperature'],
  ])('ANSWER-12: %j is refused, by name', async (request, path) => {
    const caller = await world().caller('faulty');
    const { status, body } = await caller.ask('POST', '/ai/generate', request);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: 'validation_failed' } });
    expect(JSON.stringify(body)).toContain(path);
  });

  it('AUTH-1: answers nobody who does not say who it is', async () => {
    const { status } = await postForText(world(), {}, '/ai/generate', { prompt: 'Hi' });
    expect(status).toBe(401);
  });
}
