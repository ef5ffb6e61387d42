/** The schemas of the OpenAPI document: every field is there, or the compiler says which is not. */

import * as z from 'zod';
import type { StreamEvent, StreamStatus, Usage } from '../stream/event.ts';
import type { DeliveryView } from '../stream/ports.ts';
import type { StreamView } from '../stream/stream-view.ts';
import { ERROR_TABLE, type WireError } from './errors.ts';
import { type CallbackPayload, type InitStreamRequest, initStreamSchema } from './init-stream.ts';
import { ref } from './openapi-parts.ts';
import { count, described, nullable, text, textOrNull } from './openapi-types.ts';

const code = { type: 'string', enum: Object.keys(ERROR_TABLE) };

const ENDED: readonly StreamStatus[] = ['completed', 'failed', 'cancelled', 'expired'];
const usageSource = described('The vendor’s own numbers, or our count of the text.', {
  type: 'string',
  enum: ['provider', 'tokenizer'],
});
const finishReason = {
  type: ['string', 'null'],
  enum: ['stop', 'length', 'content_filter', 'tool_calls', 'other', null],
};

/** An object; every property is required but for those named. */
function objectOf(properties: Record<string, object>, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', required, properties };
}

const wireError = {
  code,
  message: text,
  details: { type: 'object' },
} satisfies Record<keyof WireError, object>;

const usage = {
  inputTokens: count,
  outputTokens: count,
  source: usageSource,
} satisfies Record<keyof Usage, object>;

const delivery = objectOf(
  {
    status: { type: 'string', enum: ['pending', 'delivered', 'failed'] },
    attempts: count,
    lastStatus: described('HTTP status of the last answer.', count),
  } satisfies Record<keyof DeliveryView, object>,
  ['lastStatus'],
);

const callback = {
  userId: textOrNull,
  chatId: textOrNull,
  prompt: described('The prompt, or the last user message.', text),
  answer: described('The whole text; after a `restart` that of the last beginning.', text),
  input_tokens: count,
  output_tokens: count,
  status: { type: 'string', enum: ENDED },
  streamId: text,
  model: described('The model that answered.', text),
  provider: text,
  finishReason,
  usageSource,
  error: ref('WireError'),
} satisfies Record<keyof CallbackPayload, object>;

const state = {
  streamId: text,
  status: { type: 'string', enum: ['pending', 'streaming', ...ENDED] },
  text: described('What the model has said so far.', text),
  model: described('The model that answers.', text),
  provider: text,
  usage: nullable(ref('Usage')),
  finishReason,
  error: nullable(ref('WireError')),
  lastEventId: described('Of the last event that readers may have.', textOrNull),
  lastEventSeq: count,
  callback: nullable(delivery),
} satisfies Record<keyof StreamView, object>;

/** One event as `format=json` shows it; a final one is `done` or `error`. */
const EVENTS = {
  delta: objectOf({ type: { const: 'delta' }, text }),
  tool_call: described(
    'A piece of a call. The first of an `index` has `id` and `name`; the `arguments` of all, joined, are JSON. On a WebSocket its own id is `callId`.',
    objectOf(
      { type: { const: 'tool_call' }, index: count, id: text, name: text, arguments: text },
      ['id', 'name'],
    ),
  ),
  restart: described(
    'The answer begins again: drop the text shown so far. Without an event id it is for this reader alone, whose last id the stream does not know.',
    objectOf({ type: { const: 'restart' }, reason: code, model: text }),
  ),
  progress: described(
    'How far a task is; streams of models have none.',
    objectOf(
      {
        type: { const: 'progress' },
        status: { type: 'string', enum: ['queued', 'running'] },
        attempts: { type: 'integer', minimum: 0 },
        progress: { type: 'number', minimum: 0, maximum: 1 },
        stage: text,
      },
      ['stage'],
    ),
  ),
  note: described(
    'Something beside the answer, such as the sources it draws on.',
    objectOf({ type: { const: 'note' }, name: text, data: { type: 'object' } }),
  ),
  usage: objectOf({ type: { const: 'usage' }, ...usage }),
  done: objectOf({
    type: { const: 'done' },
    status: { type: 'string', enum: ['completed', 'cancelled'] },
    finishReason,
  }),
  error: described(
    'With an event id the stream has failed. Without one only this connection ends: come back with the last id.',
    objectOf({ type: { const: 'error' }, code, message: text }),
  ),
} satisfies Record<StreamEvent['type'], object>;

/** What a field's own limits do not say. */
const INIT_WORDS: Readonly<Partial<Record<keyof InitStreamRequest, string>>> = {
  n8nToken: 'The caller’s JWT; or `Authorization: Bearer`.',
  resumeUrl: 'Where the callback goes.',
  prompt: 'This or `messages`.',
  messages: 'This or `prompt`; at least one of the role `user`.',
  model: 'Default: that of the gateway.',
  start: 'With the first reader, or at once.',
  onDisconnect:
    'Once every reader has been gone for `DISCONNECT_GRACE_SECONDS`: go on; stop the model; or end the answer there and read the vendor on for its token counts alone.',
  fallbackModels: 'Models that take over, in order, when one before them fails.',
};

function initStream(): object {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(initStreamSchema, { io: 'input' });
  const properties: Record<string, object> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const description = INIT_WORDS[name as keyof InitStreamRequest];
    const given = typeof property === 'object' ? property : {};
    properties[name] = description === undefined ? given : described(description, given);
  }
  return { ...schema, properties, oneOf: [{ required: ['prompt'] }, { required: ['messages'] }] };
}

/** Schemas by name, for `components`; the part of OpenAI’s API has its own. */
export function streamSchemas(): Record<string, object> {
  return {
    WireError: objectOf(wireError, ['details']),
    Error: objectOf({ error: objectOf({ ...wireError, requestId: text }, ['details']) }),
    InitStream: initStream(),
    Usage: objectOf(usage),
    Callback: objectOf(callback, ['error']),
    StreamState: objectOf(state),
    StreamEvent: { oneOf: Object.values(EVENTS) },
  };
}
