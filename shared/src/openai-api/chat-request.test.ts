import { expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import { parseChatRequest } from './chat-request.ts';

const messages = [{ role: 'user', content: 'Hello.' }];
const requestOf = (rest: Record<string, unknown>) => parseChatRequest({ messages, ...rest });

function faultOf(body: Record<string, unknown>): string {
  try {
    parseChatRequest(body);
  } catch (thrown) {
    if (thrown instanceof GatewayError && thrown.code === 'validation_failed') {
      return thrown.details?.fields?.[0]?.path ?? '';
    }
  }
  throw new Error('it was not refused');
}

it('OPENAI-1: the least request asks the default model, for a whole answer', () => {
  expect(parseChatRequest({ messages })).toEqual({
    models: [],
    stream: false,
    includeUsage: false,
    user: null,
    request: { messages, maxTokens: 4096 },
  });
});

it('OPENAI-1: every parameter that the gateway knows is read into its own words', () => {
  const parameters = { type: 'object', properties: { city: { type: 'string' } } };
  const read = requestOf({
    model: 'gpt-4o',
    models: ['claude-sonnet-5-5', 'gpt-4o', 'echo'],
    max_tokens: 5,
    max_completion_tokens: 7,
    temperature: 0.5,
    top_p: 0.9,
    stop: 'END',
    tools: [
      { type: 'function', function: { name: 'weather', description: 'now', parameters } },
      { type: 'function', function: { name: 'time', strict: true, parameters: null } },
    ],
    tool_choice: { type: 'function', function: { name: 'weather' } },
    parallel_tool_calls: false,
    stream: true,
    stream_options: { include_usage: true },
    user: 'u1',
  });
  expect(read).toEqual({
    models: ['gpt-4o', 'claude-sonnet-5-5', 'echo'],
    stream: true,
    includeUsage: true,
    user: 'u1',
    request: {
      messages,
      maxTokens: 7,
      temperature: 0.5,
      topP: 0.9,
      stop: ['END'],
      tools: [
        { name: 'weather', description: 'now', parameters },
        { name: 'time', strict: true },
      ],
      toolChoice: { name: 'weather' },
      parallelToolCalls: false,
      openaiParams: { user: 'u1' },
    },
  });
  expect(requestOf({ stop: ['a', 'b'], tool_choice: 'required' }).request).toMatchObject({
    stop: ['a', 'b'],
    toolChoice: 'required',
  });
});

it('OPENAI-1: what it does not know goes on word for word; null says nothing', () => {
  const response_format = { type: 'json_schema', json_schema: { name: 'x', schema: {} } };
  const known = { n: 1, logprobs: false, modalities: ['text'], functions: null, stop: null };
  const { request } = requestOf({
    response_format,
    seed: 7,
    metadata: null,
    audio: null,
    ...known,
  });
  expect(request).toEqual({
    messages,
    maxTokens: 4096,
    openaiParams: { response_format, seed: 7 },
  });
});

it('OPENAI-1: every kind of message is read, parts and tool calls among them', () => {
  const url = 'data:image/png;base64,AAAA';
  const { request } = parseChatRequest({
    messages: [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'system',
        content: [
          { type: 'text', text: 'Be' },
          { type: 'text', text: 'kind.' },
        ],
      },
      { role: 'user', name: 'ann', content: [{ type: 'text', text: 'One part.' }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url, detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: null } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'a cat' },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
    ],
  });
  expect(request.messages).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'system', content: 'Be\nkind.' },
    { role: 'user', content: 'One part.' },
    {
      role: 'user',
      content: 'What is this?',
      parts: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url, detail: 'low' } },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      ],
    },
    { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'look', arguments: '{}' }] },
    { role: 'tool', content: 'a cat', toolCallId: 'c1' },
    { role: 'assistant', content: 'No.' },
  ]);
});

const user = (content: unknown) => ({ messages: [{ role: 'user', content }] });

it.each<[string, Record<string, unknown>]>([
  ['n', { messages, n: 2 }],
  ['logprobs', { messages, logprobs: true }],
  ['top_logprobs', { messages, top_logprobs: 3 }],
  ['modalities.1', { messages, modalities: ['text', 'audio'] }],
  ['audio', { messages, audio: { voice: 'alloy', format: 'wav' } }],
  ['functions', { messages, functions: [{ name: 'f' }] }],
  ['function_call', { messages, function_call: 'auto' }],
  ['tools.0.type', { messages, tools: [{ type: 'custom', custom: { name: 'c' } }] }],
  ['tool_choice', { messages, tool_choice: { type: 'allowed_tools' } }],
  ['messages', {}],
  ['messages', { messages: [] }],
  ['messages.0.role', { messages: [{ role: 'function', content: 'x' }] }],
  ['messages.0.content', user(7)],
  ['messages.0.content.0.type', user([{ type: 'input_audio', input_audio: {} }])],
  [
    'messages.0.content.0.image_url.url',
    user([{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }]),
  ],
  ['messages.0.tool_call_id', { messages: [{ role: 'tool', content: 'x' }] }],
  ['messages.0.function_call', { messages: [{ role: 'assistant', function_call: {} }] }],
  ['temperature', { messages, temperature: 3 }],
  ['max_tokens', { messages, max_tokens: 0 }],
  ['model', { messages, model: '' }],
  ['models', { messages, models: ['a', 'b', 'c', 'd', 'e', 'f'] }],
])('OPENAI-2: a fault is refused by the name of its field: %s', (path, body) => {
  expect(faultOf(body)).toBe(path);
});

it('OPENAI-1: a field that no object should have stays a plain field', () => {
  const body = JSON.parse(`{"messages":${JSON.stringify(messages)},"__proto__":{"model":"evil"}}`);
  const { models, request } = parseChatRequest(body);
  expect(models).toEqual([]);
  expect((request as { model?: string }).model).toBeUndefined();
});
