/** `POST /v1/chat/completions`, from the body's text to a session: the same on both hosts. */

import { admitSession, type SessionPorts } from '../gateway/admit-session.ts';
import type { Authoriser } from '../gateway/authorise.ts';
import { requireJson } from '../gateway/require-json.ts';
import { GatewayError } from '../protocol/errors.ts';
import { parseJsonObject } from '../protocol/init-stream.ts';
import type { Settings } from '../protocol/settings.ts';
import { authoriseClient } from './authorise-client.ts';
import type { ChatMeta } from './chat-chunks.ts';
import { type ChatRequest, parseChatRequest } from './chat-request.ts';

/** The caller is on the line: a session that is not read at once has lost it, in ms. */
const TTL_MS = 10_000;

/** A chat has no URL to come back to: it is kept for as long as its reader may lag, in ms. */
const RETENTION_MS = 60_000;

/** What a host gives to open chats. */
export interface OpenChatPorts extends SessionPorts {
  readonly settings: Settings;
  readonly authorise: Authoriser;
}

/** The parts of the HTTP request that matter. */
export interface OpenChatInput {
  readonly contentType: string | null;
  readonly bodyText: string;
  readonly authorization: string | null;
  readonly apiKey: string | null;
}

/** A chat whose session is kept, and waits for its one reader. */
export interface OpenedChat {
  readonly streamId: string;
  readonly chat: ChatRequest;
  readonly meta: ChatMeta;
}

/**
 * Opens a chat: a session that starts with its reader, calls nobody back, and stops its model when
 * the reader leaves. The caller is known before its request is judged.
 *
 * Errors: `unsupported_media_type`, `validation_failed`, `unauthorized`, `not_found` for a model,
 * `payload_too_large`, `rate_limited`, `unavailable`.
 */
export async function openChat(ports: OpenChatPorts, input: OpenChatInput): Promise<OpenedChat> {
  const { settings, registry } = ports;
  requireJson(input.contentType);
  const body = parseJsonObject(input.bodyText);
  const rule = { authorise: ports.authorise, internalApiKey: settings.internalApiKey };
  const { subject } = await authoriseClient(rule, input);
  const chat = parseChatRequest(body);
  const [model, ...fallbackModels] = chat.models;
  const times = {
    streamTtlMs: Math.min(TTL_MS, settings.streamTtlMs),
    streamRetentionMs: Math.min(RETENTION_MS, settings.streamRetentionMs),
  };
  const { messages } = chat.request;
  const { streamId } = await admitSession(
    { ...ports, settings: { ...settings, ...times } },
    {
      ...chat.request,
      subject,
      model,
      fallbackModels,
      // With `now`, a caller that left before it was attached would leave the model talking.
      start: 'connect',
      onDisconnect: 'cancel',
      graceMs: 0,
      // Nobody can come back to it: there is no URL and no callback.
      isKept: false,
      // OpenAI's protocol has no word for an answer that begins again.
      mayRestart: !chat.stream,
      userId: chat.user,
      chatId: null,
      prompt: messages.findLast(({ role }) => role === 'user')?.content ?? '',
    },
  ).catch((thrown: unknown) => {
    throw asModelFault(thrown);
  });
  const created = Math.floor(ports.nowMs() / 1000);
  const meta = { id: `chatcmpl-${streamId}`, created, model: model ?? registry.defaultModel };
  return { streamId, chat, meta };
}

/** OpenAI's clients know a model that is not there by 404; a fallback is named by its own field. */
function asModelFault(thrown: unknown): unknown {
  if (!(thrown instanceof GatewayError) || thrown.code !== 'validation_failed') return thrown;
  const [field] = thrown.details?.fields ?? [];
  if (field === undefined) return thrown;
  const isFallback = field.path.startsWith('fallbackModels');
  if (field.path !== 'model' && !isFallback) return thrown;
  const path = isFallback ? 'models' : 'model';
  const message = thrown.message.replace(field.path, path);
  return new GatewayError('not_found', message, {
    cause: thrown,
    details: { fields: [{ ...field, path }] },
  });
}
