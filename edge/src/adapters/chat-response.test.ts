import { createCompletionCollector } from '@headwater/shared/openai-api/chat-completion';
import { CHAT_FORMAT } from '@headwater/shared/openai-api/chat-sink';
import { createChatStream } from '@headwater/shared/openai-api/chat-stream';
import type { StreamEvent } from '@headwater/shared/stream/event';
import { encodeFrames } from '@headwater/shared/stream/frames';
import { parseSse } from '@headwater/shared/testing/recording-subscriber';
import { expect, it } from 'vitest';
import { createChatResponse } from './chat-response.ts';
import { readSession } from './session-reading.ts';
import { createSocketSubscriber } from './socket-subscriber.ts';

const META = { id: 'chatcmpl-s1', created: 1_900_000_000, model: 'gpt-4o' };
const DONE: StreamEvent = { type: 'done', status: 'completed', finishReason: 'stop' };
const delta = (text: string): StreamEvent => ({ type: 'delta', text });

/** The object's end of a socket, with a subscriber that is told what was taken. */
function createObject() {
  const { 0: near, 1: far } = new WebSocketPair();
  far.accept();
  const subscriber = createSocketSubscriber(far, CHAT_FORMAT);
  far.addEventListener('message', ({ data }) => subscriber.acknowledge(Number(data)));
  const closed = new Promise<void>((resolve) => far.addEventListener('close', () => resolve()));
  let seq = 0;
  const say = (...events: readonly StreamEvent[]): number => {
    const [frame = ''] = encodeFrames({ epoch: 7, firstSeq: seq + 1, events }, CHAT_FORMAT);
    seq += events.length;
    return subscriber.write(frame);
  };
  return { near, far, subscriber, closed, say };
}

function connect() {
  const object = createObject();
  const stream = createChatStream({ includeUsage: false });
  const reading = readSession(object.near, stream);
  const { response, output } = createChatResponse(reading);
  stream.begin(META, output);
  return { ...object, response };
}

it('OPENAI-3: what the object says comes out as chunks, and its end ends the answer', async () => {
  const { response, subscriber, say, closed } = connect();
  for (let at = 0; at < 50; at += 1) say(delta(`t${at} `));
  say(DONE);
  subscriber.end();
  const text = await response.text();
  const chunks = parseSse(text).map(({ data }) => data);
  expect(chunks.at(-1)).toBe('[DONE]');
  const said = chunks.slice(0, -1).map((data) => JSON.parse(data).choices[0].delta.content ?? '');
  expect(said.join('')).toBe(Array.from({ length: 50 }, (_, at) => `t${at} `).join(''));
  await closed;
});

it('OPENAI-6: an object that is lost, or cuts its reader, is an error and no end', async () => {
  const lost = connect();
  lost.say(delta('half'));
  lost.subscriber.end();
  expect(await lost.response.text()).toMatch(/"half".*"code":"unavailable"(?!.*DONE)/s);
  const cut = connect();
  cut.say(delta('half'));
  cut.subscriber.cut({ code: 'processing_failed', message: 'No.' });
  expect(await cut.response.text()).toMatch(/"half".*"code":"processing_failed"(?!.*DONE)/s);
});

it('OPENAI-8: a caller that goes away closes the socket to the object', async () => {
  const { response, say, closed } = connect();
  await response.body?.cancel();
  say(delta('a'));
  await closed;
});

it('STREAM-10: the object learns what the caller took, and waits for no more than that', async () => {
  const { response, subscriber, say, near, far } = connect();
  // What the Worker sends once it has seen the third frame comes after every acknowledgement.
  const allSeen = new Promise<void>((resolve) => {
    far.addEventListener('message', ({ data }) => data === '0' && resolve());
  });
  let seen = 0;
  near.addEventListener('message', () => {
    seen += 1;
    if (seen === 3) near.send('0');
  });
  const text = 'x'.repeat(100_000);
  for (let count = 1; count <= 3; count += 1) {
    expect(say(delta(text))).toBeGreaterThan(count * text.length);
  }
  let isDrained = false;
  const drained = Promise.resolve(subscriber.drained()).then(() => {
    isDrained = true;
  });
  await allSeen;
  expect(isDrained).toBe(false);
  const reading = response.text();
  await drained;
  expect(say(DONE)).toBeLessThan(text.length);
  subscriber.end();
  expect((await reading).length).toBeGreaterThan(3 * text.length);
});

it('STREAM-10: a caller that takes nothing is cut once more than 4 MiB wait in the Worker', async () => {
  const { response, say, closed } = connect();
  for (let count = 0; count < 60; count += 1) say(delta('x'.repeat(100_000)));
  await closed;
  await expect(response.text()).rejects.toThrow();
});

it('OPENAI-4: a whole answer is taken as fast as it comes', async () => {
  const { near, subscriber, say, closed } = createObject();
  const collector = createCompletionCollector();
  const reading = readSession(near, collector);
  for (let count = 0; count < 3; count += 1) {
    say(delta('x'.repeat(100_000)));
    await subscriber.drained();
  }
  say(DONE);
  const { choices } = await collector.completion;
  expect(choices[0].message.content).toHaveLength(300_000);
  reading.leave();
  reading.leave();
  await closed;
});
