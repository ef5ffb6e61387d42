/** `/ai/chat` in the OpenAPI document. */

import type {
  ChatHistoryView,
  ChatListView,
  ChatMessageView,
  ChatSessionView,
  ChatTurnView,
} from './ai-chat.ts';
import { chatRequestSchema } from './ai-chat.ts';
import { ANSWER_PROPERTIES, asking, cost, requestSchema, usage } from './openapi-ai.ts';
import { ok, ref } from './openapi-parts.ts';
import {
  count,
  deletion,
  described,
  errors,
  id,
  idempotencyKey,
  listOf,
  next_after,
  nullable,
  objectOf,
  page,
  pageErrors,
  security,
  text,
  textOrNull,
  time,
  timeOrNull,
} from './openapi-types.ts';

const turn = {
  session_id: text,
  message_id: described('Of the answer.', text),
  response: text,
  text: described('The same as `response`.', text),
  processing_time: described('In seconds, from the question to the end of the answer.', {
    type: 'number',
    minimum: 0,
  }),
  summarised: described('Whether older messages reached the model as a summary.', {
    type: 'boolean',
  }),
  warnings: described('What went wrong without costing the answer.', listOf(text)),
  summary_usage: described(
    'Tokens of the call that wrote the summary anew; null where there was none.',
    usage,
  ),
} satisfies Record<keyof ChatTurnView, object>;

const session = {
  session_id: text,
  message_count: described('Questions and answers.', count),
  created_at: time,
  last_used_at: time,
} satisfies Record<keyof ChatSessionView, object>;

const message = {
  message_id: text,
  role: { type: 'string', enum: ['user', 'assistant'] },
  content: described('Of an answer that was cut short: what was said until then.', text),
  status: { type: 'string', enum: ['pending', 'completed', 'failed', 'cancelled'] },
  created_at: time,
  ended_at: timeOrNull,
  model: textOrNull,
  provider: textOrNull,
  usage,
  cost,
  finish_reason: textOrNull,
  error: nullable(ref('WireError')),
} satisfies Record<keyof ChatMessageView, object>;

const list = {
  sessions: described('Newest first.', listOf(objectOf(session))),
  next_after,
} satisfies Record<keyof ChatListView, object>;

const history = {
  ...session,
  system_prompt: textOrNull,
  summary: described('Of the messages that no longer fit into a prompt.', textOrNull),
  messages: described('In their order.', listOf(objectOf(message))),
  next_after,
} satisfies Record<keyof ChatHistoryView, object>;

/** What the fields say beyond what all text services share. */
const FIELD_WORDS: Readonly<Record<string, string>> = {
  session_id: 'The conversation to go on with; without one a new one begins.',
  system:
    'The rules of the conversation, given with its first message. Another text is refused later, unless `update_system` says that it is meant.',
  update_system: '`system` replaces the rules from this message on.',
  cache:
    'Whether an answer that you got to an equal conversation will do, and how old it may be. `true`: an hour. Default false.',
};

/** Paths, for the document. */
export const CHAT_PATHS: Readonly<Record<string, object>> = {
  '/ai/chat': {
    post: asking('Say something in a conversation that is remembered', {
      description:
        'With `stream` the first event is a `note` named `chat`, whose data has `session_id` and `message_id`. An answer goes on without its reader, and is kept.',
      parameters: [
        idempotencyKey(
          'The same key with the same request in the same conversation gives the same answer.',
        ),
      ],
      request: 'ChatRequest',
      answer: 'ChatTurn',
      more: ['not_found', 'conflict', 'expired', 'unprocessable', 'processing_failed'],
    }),
    get: {
      summary: 'List your conversations, newest first',
      security,
      parameters: page,
      responses: {
        ...ok('A page', ref('ChatList')),
        ...pageErrors,
      },
    },
  },
  '/ai/chat/{id}': {
    get: {
      summary: 'Read a conversation',
      security,
      parameters: [id, ...page],
      responses: {
        ...ok('The conversation, with a page of its messages', ref('ChatHistory')),
        ...errors('validation_failed', 'unauthorized', 'not_found', 'unavailable'),
      },
    },
    delete: deletion(
      'Delete a conversation with all its messages',
      'Deleted; an answer that was being written is stopped',
    ),
  },
};

/** Schemas by name, for `components`. */
export const CHAT_SCHEMAS: Readonly<Record<string, object>> = {
  ChatRequest: requestSchema(chatRequestSchema, FIELD_WORDS),
  ChatTurn: objectOf({ ...turn, ...ANSWER_PROPERTIES }, ['simulated']),
  ChatList: objectOf(list),
  ChatHistory: objectOf(history),
};
