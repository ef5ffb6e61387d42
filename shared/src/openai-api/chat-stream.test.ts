import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { GatewayError, type WireError } from '../protocol/errors.ts';
import type { StreamEvent } from '../stream/event.ts';
import { encodeFrames, encodeReaderError } from '../stream/frames.ts';
import { APIError, createOpenAIClient } from '../testing/openai-client.ts';
import { CHAT_FORMAT, parseFrame, takeFrame } from './chat-sink.ts';
import { type ChatStream, createChatStream, explain } from './chat-stream.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const META = { id: 'chatcmpl-s1', created: 1_900_000_000, model: 'gpt-4o' };
const delta = (text: string): StreamEvent => ({ type: 'delta', text });
const USAGE: StreamEvent = { type: 'usage', inputTokens: 3, outputTokens: 2, source: 'provider' };
const DONE: StreamEvent = { type: 'done', status: 'completed', finishReason: 'stop' };
const RESTART: StreamEvent = { type: 'restart', reason: 'upstream_failed', model: 'echo' };
const error = (code: WireError['code']): StreamEvent => ({
  type: 'error',
  code,
  message: 'Sorry.',
});

/** A connection that keeps what it is given. */
function createOutput() {
  const kept = { text: '', ends: 0 };
  return {
    kept,
    write(text: string) {
      if (kept.ends > 0) throw new Error('written to after its end');
      kept.text += text;
      return kept.text.length;
    },
    end() {
      kept.ends += 1;
    },
  };
}

function sentFor(events: readonly StreamEvent[], includeUsage = false) {
  const stream = createChatStream({ includeUsage });
  const output = createOutput();
  stream.begin(META, output);
  for (const event of events) stream.take(event);
  return output.kept;
}

/** What the official SDK makes of the text. */
async function readWithSdk(text: string) {
  const headers = { 'content-type': 'text/event-stream' };
  const client = createOpenAIClient({
    baseURL: 'http://gateway.invalid/v1',
    apiKey: 'k',
    fetch: async () => new Response(text, { headers }),
  });
  const params = { model: 'gpt-4o', messages: [], stream: true as const };
  const chunks = [];
  for await (const chunk of await client.chat.completions.create(params)) chunks.push(chunk);
  return chunks;
}

it('OPENAI-3: the SDK reads the role, every byte of the text, the reason, and the end', async () => {
  const said = ['  Hé\r\n\n', '漢字 "quoted" \\ ', '🌊', '\u2028'];
  const { text, ends } = sentFor([...said.map(delta), USAGE, DONE]);
  expect(ends).toBe(1);
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  const chunks = await readWithSdk(text);
  expect(chunks[0]).toEqual({
    ...META,
    object: 'chat.completion.chunk',
    choices: [
      {
        index: 0,
        delta: { role: 'assistant', content: '', refusal: null },
        logprobs: null,
        finish_reason: null,
      },
    ],
  });
  expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(said.join(''));
  expect(chunks.map(({ choices }) => choices[0]?.finish_reason)).toEqual([
    ...[null, null, null, null, null],
    'stop',
  ]);
  expect(chunks.every((chunk) => chunk.id === META.id && !('usage' in chunk))).toBe(true);
});

it('OPENAI-3: token counts come in a last chunk without choices, and only when asked for', async () => {
  const chunks = await readWithSdk(sentFor([delta('a'), USAGE, DONE], true).text);
  expect(chunks.at(-1)).toMatchObject({
    choices: [],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  });
  expect(chunks.slice(0, -1).map(({ usage }) => usage)).toEqual([null, null, null]);
});

it('OPENAI-3: tool calls keep their ids, names and pieces of arguments', async () => {
  const piece = { type: 'tool_call', index: 0 } as const;
  const chunks = await readWithSdk(
    sentFor([
      { ...piece, id: 'c1', name: 'weather', arguments: '' },
      { ...piece, arguments: '{"city":' },
      { ...piece, arguments: '"Zürich"}' },
      { type: 'tool_call', index: 1, id: 'c2', name: 'time', arguments: '{}' },
      USAGE,
      { type: 'done', status: 'completed', finishReason: 'tool_calls' },
    ]).text,
  );
  const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
  expect(calls).toEqual([
    { index: 0, id: 'c1', type: 'function', function: { name: 'weather', arguments: '' } },
    { index: 0, function: { arguments: '{"city":' } },
    { index: 0, function: { arguments: '"Zürich"}' } },
    { index: 1, id: 'c2', type: 'function', function: { name: 'time', arguments: '{}' } },
  ]);
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('tool_calls');
});

it('OPENAI-3: an answer without a word has its role and its reason', async () => {
  const done: StreamEvent = { type: 'done', status: 'completed', finishReason: 'other' };
  const chunks = await readWithSdk(sentFor([USAGE, done]).text);
  expect(chunks.map(({ choices }) => choices[0]?.delta.role)).toEqual(['assistant', undefined]);
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
});

it.each<[string, (stream: ChatStream) => void, string]>([
  ['an error event', (stream) => stream.take(error('upstream_failed')), 'upstream_failed'],
  ['a lost session', (stream) => stream.closed(), 'unavailable'],
  [
    'a cut',
    (stream) => stream.closed({ code: 'processing_failed', message: 'Sorry.' }),
    'processing_failed',
  ],
  [
    'a stop',
    (stream) => stream.take({ type: 'done', status: 'cancelled', finishReason: null }),
    'unavailable',
  ],
  ['another model that takes over', (stream) => stream.take(RESTART), 'upstream_failed'],
])(
  'OPENAI-6: %s in mid-answer throws in the SDK, and no end marker follows',
  async (_what, fail, code) => {
    const stream = createChatStream({ includeUsage: true });
    const output = createOutput();
    stream.begin(META, output);
    stream.take(delta('half'));
    fail(stream);
    stream.take(delta('late'));
    stream.take(DONE);
    stream.closed();
    expect(output.kept.ends).toBe(1);
    expect(output.kept.text).not.toMatch(/DONE|late/);
    const thrown = await readWithSdk(output.kept.text).catch((fault: unknown) => fault);
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toMatchObject({ code, type: 'api_error' });
  },
);

it('OPENAI-6: a failure before the first word is left to the status', async () => {
  const stream = createChatStream({ includeUsage: false });
  const ready = stream.ready(15_000);
  stream.take(USAGE);
  stream.take(error('upstream_timeout'));
  await expect(ready).rejects.toMatchObject({ code: 'upstream_timeout', message: 'Sorry.' });
  const lost = createChatStream({ includeUsage: false });
  lost.closed();
  await expect(lost.ready(15_000)).rejects.toBeInstanceOf(GatewayError);
  expect(vi.getTimerCount()).toBe(0);
});

it('OPENAI-6: the head waits for the first word, and for no longer than it may', async () => {
  const stream = createChatStream({ includeUsage: false });
  let isReady = false;
  const ready = stream.ready(15_000).then(() => {
    isReady = true;
  });
  await vi.advanceTimersByTimeAsync(14_999);
  expect(isReady).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await ready;
  const output = createOutput();
  stream.begin(META, output);
  stream.take(error('upstream_timeout'));
  expect(output.kept.text).toContain('"code":"upstream_timeout"');

  const quick = createChatStream({ includeUsage: false });
  const atOnce = quick.ready(15_000);
  quick.take(delta('a'));
  quick.take(DONE);
  quick.closed();
  await atOnce;
  const second = createOutput();
  quick.begin(META, second);
  expect(second.kept.text).toMatch(/"content":"a".*\[DONE\]/s);
  expect(vi.getTimerCount()).toBe(0);
});

it('OPENAI-7: a model that takes over before anything was sent goes unnoticed, but for its name', async () => {
  const held = createChatStream({ includeUsage: false });
  held.take(delta('void'));
  held.take(RESTART);
  held.take(delta('good'));
  held.take(DONE);
  const output = createOutput();
  held.begin(META, output);
  const begun = sentFor([RESTART, delta('good'), DONE]);
  for (const text of [output.kept.text, begun.text]) {
    const chunks = await readWithSdk(text);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('good');
    expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set(['echo']));
  }
});

it('OPENAI-8: what the caller has not taken is told to the session', () => {
  const stream = createChatStream({ includeUsage: false });
  expect(stream.take(delta('a'))).toBe(0);
  const output = createOutput();
  stream.begin(META, output);
  const batch = { epoch: 7, firstSeq: 2, events: [delta('b\r\n'), delta('c')] };
  const [frame = ''] = encodeFrames(batch, CHAT_FORMAT);
  expect(takeFrame(stream, frame)).toBe(output.kept.text.length);
  expect(output.kept.text).toMatch(/"b\\r\\n".*"c"/s);
});

it('OPENAI-5: an error learns from the state how long to wait', async () => {
  const details = { retryAfterSeconds: 7 };
  const bare = new GatewayError('unavailable', 'Busy.');
  const told = await explain(bare, async () => ({
    code: 'unavailable',
    message: 'Busy.',
    details,
  }));
  expect(told.details).toEqual(details);
  expect(await explain(bare, async () => null)).toBe(bare);
  const gone = () => Promise.reject(new Error('gone'));
  expect(await explain(bare, gone)).toBe(bare);
});

it('OPENAI-3: an event is read from its frame as it was, the id of a tool call with it', () => {
  const events: StreamEvent[] = [
    { type: 'tool_call', index: 0, id: 'c1', name: 'weather', arguments: '{' },
    { type: 'tool_call', index: 0, arguments: '"data: \\n\\n"}' },
    delta('data: x\n\ndata: y\u2028'),
    DONE,
  ];
  const frames = encodeFrames({ epoch: 7, firstSeq: 1, events }, CHAT_FORMAT);
  expect(frames.flatMap(parseFrame)).toEqual(events);
  const aside = encodeReaderError({ code: 'unavailable', message: 'Gone.' }, CHAT_FORMAT);
  expect(parseFrame(aside)).toEqual([{ type: 'error', code: 'unavailable', message: 'Gone.' }]);
});
