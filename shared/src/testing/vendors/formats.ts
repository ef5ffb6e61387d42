/** The three vendors' streaming formats, written the way the vendors write them. */

import type { PlayReason, VendorFormat } from './play.ts';

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const named = (type: string, rest: object = {}) => `event: ${type}\n${data({ type, ...rest })}`;
const line = (value: unknown) => `${JSON.stringify(value)}\n`;

/** Any time will do, so long as it never changes. */
const CREATED_SECONDS = 1_760_000_000;
const CREATED_AT = '2025-10-09T08:53:20.000000Z';

/** https://platform.openai.com/docs/api-reference/chat-streaming */
export const openaiFormat: VendorFormat = {
  contentType: 'text/event-stream; charset=utf-8',
  head: ({ model }) => data(openaiChunk(model, { role: 'assistant', content: '', refusal: null })),
  token: (text, { model }) => data(openaiChunk(model, { content: text })),
  keepAlive: () => ': keep-alive\n\n',
  toolCall(call, index, { model }) {
    const head = { index, id: `call_scripted_${index}`, type: 'function' };
    const chunk = (piece: object) => data(openaiChunk(model, { tool_calls: [piece] }));
    return [
      chunk({ ...head, function: { name: call.name, arguments: '' } }),
      ...inPieces(call.arguments).map((text) => chunk({ index, function: { arguments: text } })),
    ];
  },
  tail({ model, inputTokens, outputTokens }, reason, withUsage) {
    const usage = {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
    };
    const base = { ...openaiChunk(model, {}), choices: [] };
    return [
      reason === undefined ? '' : data(openaiChunk(model, {}, reason)),
      withUsage ? data({ ...base, usage }) : '',
      'data: [DONE]\n\n',
    ].join('');
  },
  errorEvent: () =>
    data({ error: { message: 'vendor secret words', type: 'server_error', code: null } }),
  malformedEvent: () => 'data: {"id":"chatcmpl-scripted","choices":[{"delta":\n\n',
  refusal: (status) =>
    JSON.stringify({
      error: {
        message: `vendor secret words ${status}`,
        type: 'scripted',
        param: null,
        code: null,
      },
    }),
};

function openaiChunk(model: string, delta: object, finishReason: string | null = null) {
  return {
    id: 'chatcmpl-scripted',
    object: 'chat.completion.chunk',
    created: CREATED_SECONDS,
    model,
    service_tier: 'default',
    system_fingerprint: null,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    usage: null,
  };
}

/**
 * Azure's form of it: the filter's results on the prompt come first, in a chunk without a choice
 * (https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter).
 */
export const azureFormat: VendorFormat = {
  ...openaiFormat,
  head(facts) {
    const results = { hate: { filtered: false, severity: 'safe' } };
    const prompt = [{ prompt_index: 0, content_filter_results: results }];
    const empty = { choices: [], created: 0, id: '', model: '', object: '' };
    return data({ ...empty, prompt_filter_results: prompt }) + openaiFormat.head(facts);
  },
  token(text, { model }) {
    const chunk = openaiChunk(model, { content: text });
    const choices = chunk.choices.map((choice) => ({ ...choice, content_filter_results: {} }));
    return data({ ...chunk, choices });
  },
};

/** The same text in up to three pieces, cut wherever that falls. */
function inPieces(text: string): string[] {
  const size = Math.max(1, Math.ceil(text.length / 3));
  return text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
}

const ANTHROPIC_REASONS: Readonly<Record<PlayReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  content_filter: 'refusal',
  tool_calls: 'tool_use',
};

/** https://docs.anthropic.com/en/api/messages-streaming; half of the input counts as read from the cache. */
export const anthropicFormat: VendorFormat = {
  contentType: 'text/event-stream; charset=utf-8',
  head({ model, inputTokens }) {
    const cached = Math.floor(inputTokens / 2);
    const message = {
      id: 'msg_scripted',
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: {
        input_tokens: inputTokens - cached,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: cached,
        output_tokens: 1,
      },
    };
    return [
      named('message_start', { message }),
      named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      named('ping'),
    ].join('');
  },
  token: (text) => named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
  keepAlive: () => named('ping'),
  toolCall(call, number) {
    // Block 0 is the text.
    const index = number + 1;
    const block = { type: 'tool_use', id: `call_scripted_${number}`, name: call.name, input: {} };
    return [
      named('content_block_start', { index, content_block: block }),
      ...['', ...inPieces(call.arguments)].map((partial_json) =>
        named('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json } }),
      ),
      named('content_block_stop', { index }),
    ];
  },
  tail({ outputTokens }, reason, withUsage) {
    const stopReason = reason === undefined ? null : ANTHROPIC_REASONS[reason];
    const delta = { stop_reason: stopReason, stop_sequence: null };
    const usage = withUsage ? { usage: { output_tokens: outputTokens } } : {};
    return [
      named('content_block_stop', { index: 0 }),
      named('message_delta', { delta, ...usage }),
      named('message_stop'),
    ].join('');
  },
  errorEvent: () =>
    named('error', { error: { type: 'api_error', message: 'vendor secret words' } }),
  malformedEvent: () =>
    'event: content_block_delta\ndata: {"type":"content_block_delta","delta":\n\n',
  refusal: (status) =>
    JSON.stringify({
      type: 'error',
      error: { type: 'scripted', message: `vendor secret words ${status}` },
    }),
};

/** https://github.com/ollama/ollama/blob/main/docs/api.md */
export const ollamaFormat: VendorFormat = {
  contentType: 'application/x-ndjson',
  head: () => '',
  token: (text, { model }) => line(ollamaObject(model, text, { done: false })),
  keepAlive: () => '\n',
  toolCall(call, index, { model }) {
    const called = { index, name: call.name, arguments: JSON.parse(call.arguments) };
    const toolCalls = [{ id: `call_scripted_${index}`, function: called }];
    const message = { role: 'assistant', content: '', tool_calls: toolCalls };
    return [line({ ...ollamaObject(model, '', { done: false }), message })];
  },
  tail({ model, inputTokens, outputTokens }, reason, withUsage) {
    // Ollama has one object for the end: without a reason there is no end.
    if (reason === undefined) return '';
    const usage = withUsage
      ? { prompt_eval_count: inputTokens, prompt_eval_duration: 1, eval_count: outputTokens }
      : {};
    const ownReason = reason === 'tool_calls' ? 'stop' : reason;
    return line(ollamaObject(model, '', { done: true, done_reason: ownReason, ...usage }));
  },
  errorEvent: () => line({ error: 'vendor secret words' }),
  malformedEvent: () => '{"model":"scripted","message":{"role":\n',
  refusal: (status) => JSON.stringify({ error: `vendor secret words ${status}` }),
};

function ollamaObject(model: string, content: string, rest: object) {
  return { model, created_at: CREATED_AT, message: { role: 'assistant', content }, ...rest };
}
