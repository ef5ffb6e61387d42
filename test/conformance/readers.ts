/** Readers: many, late, dropped and coming back. */

import { scriptedAnswer, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { openStream, readStream, stateOf, stateOnce, textOf } from '../hosts/gateway-client.ts';
import type { World } from '../hosts/world.ts';

/** Adds the tests. */
export function describeReaders(world: () => World): void {
  const open = (name: string, prompt: string) => {
    const { host, receiver } = world();
    return openStream(host.baseUrl, name, { resumeUrl: receiver.urlFor(name), prompt });
  };

  it('STREAM-6: early, late and later readers all get the same events', async () => {
    const prompt = scriptedPrompt({ tokens: 60, delayMs: 10 });
    const streamUrl = await open('fan-out', prompt);
    const early = readStream(streamUrl);
    await stateOnce(streamUrl, ({ lastEventSeq }) => Number(lastEventSeq) > 10);
    const late = readStream(streamUrl);
    await stateOnce(streamUrl, ({ lastEventSeq }) => Number(lastEventSeq) > 30);
    const later = readStream(streamUrl);
    const all = await Promise.all([early, late, later]);
    const afterEnd = await readStream(streamUrl);
    expect(textOf(afterEnd.events)).toBe(scriptedAnswer(prompt));
    for (const { events } of all) expect(events).toEqual(afterEnd.events);
  });

  it('STREAM-6: a reader dropped again and again gets the rest each time, once, in order', async () => {
    const prompt = scriptedPrompt({ tokens: 60, delayMs: 8 });
    const streamUrl = await open('resume', prompt);
    const seen = [];
    let lastEventId: string | undefined;
    for (let round = 0; round < 100; round += 1) {
      const { events, status } = await readStream(streamUrl, {
        ...(lastEventId === undefined ? {} : { lastEventId }),
        until: (now) => now.length >= 7,
      });
      if (status === 204) break;
      // What the connection still carried when it was dropped is gone, as on a real line.
      const kept = events.slice(0, 7);
      seen.push(...kept);
      lastEventId = kept.at(-1)?.id ?? lastEventId;
    }
    expect(textOf(seen)).toBe(scriptedAnswer(prompt));
    expect(seen).toEqual((await readStream(streamUrl)).events);
  });

  it('STREAM-10: an answer of megabytes is replayed whole over one connection', async () => {
    const { host, receiver } = world();
    const prompt = scriptedPrompt({ tokens: 90_000 });
    const streamUrl = await openStream(host.baseUrl, 'megabytes', {
      resumeUrl: receiver.urlFor('megabytes'),
      prompt,
      max_tokens: 100_000,
      start: 'now',
    });
    await receiver.attempt('megabytes');
    const { raw, events } = await readStream(streamUrl);
    expect(raw.length).toBeGreaterThan(2 * 1024 * 1024);
    expect(textOf(events)).toBe(scriptedAnswer(prompt));
    expect(events.at(-1)?.data).toBe('[DONE]');
  });

  it('STREAM-8: the id by header goes before the id by query; a strange id stands for nothing read, an unknown one for a gap', async () => {
    const streamUrl = await open('ids', 'Tell me.');
    const { events } = await readStream(streamUrl);
    const idAt = (at: number) => events[at]?.id ?? '';
    const byQuery = await readStream(streamUrl, { query: { last_event_id: idAt(3) } });
    expect(byQuery.events).toEqual(events.slice(4));
    const both = await readStream(streamUrl, {
      lastEventId: idAt(5),
      query: { last_event_id: idAt(1) },
    });
    expect(both.events).toEqual(events.slice(6));
    const epoch = idAt(0).split('-')[0] ?? '';
    for (const strange of ['nonsense', '-1', `${epoch}-1e3`]) {
      expect((await readStream(streamUrl, { lastEventId: strange })).events).toEqual(events);
    }
    for (const unknown of [`${epoch}-9999`, `${epoch}x-2`]) {
      const [told, ...all] = (await readStream(streamUrl, { lastEventId: unknown })).events;
      expect(told).toMatchObject({ id: undefined, event: 'restart' });
      expect(all).toEqual(events);
    }
  });

  it('STREAM-9: who has the final event gets 204', async () => {
    const streamUrl = await open('end', 'Tell me.');
    const { events } = await readStream(streamUrl);
    const again = await readStream(streamUrl, { lastEventId: events.at(-1)?.id ?? '' });
    expect(again.status).toBe(204);
    expect(again.events).toEqual([]);
  });

  it('STREAM-2: a HEAD request is a look, no reader: it starts nothing', async () => {
    const streamUrl = await open('head', 'Tell me.');
    const look = await fetch(streamUrl, { method: 'HEAD' });
    expect(look.status).toBe(200);
    expect(look.headers.get('content-type')).toContain('text/event-stream');
    expect((await stateOf(streamUrl))['status']).toBe('pending');
  });

  it('FRAME-5: the JSON form says the same in typed events, and keeps CR', async () => {
    const prompt = scriptedPrompt({ text: 'one\r\ntwo\rthree [DONE] four' });
    const streamUrl = await open('json', prompt);
    const { events } = await readStream(streamUrl, { query: { format: 'json' } });
    const typed = events.map(({ data }) => JSON.parse(data) as Record<string, unknown>);
    const text = typed.filter(({ type }) => type === 'delta').map((delta) => delta['text']);
    expect(text.join('')).toBe('one\r\ntwo\rthree [DONE] four');
    expect(typed.slice(-2)).toMatchObject([
      { type: 'usage', source: 'provider' },
      { type: 'done', status: 'completed', finishReason: 'stop' },
    ]);
    const refused = await readStream(streamUrl, { query: { format: 'xml' } });
    expect(refused.status).toBe(400);
  });

  it('FRAME-3: a chunk of the answer that is [DONE] does not end the stream', async () => {
    const prompt = scriptedPrompt({ text: '[DONE] is not the end' });
    const { events } = await readStream(await open('done', prompt));
    expect(events.filter(({ data }) => data === '[DONE]')).toHaveLength(1);
    expect(textOf(events)).toBe('[DONE] is not the end');
  });
}
