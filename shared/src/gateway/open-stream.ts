/** `POST /init-stream`, from the body's text to a session: the same on both hosts. */

import { GatewayError } from '../protocol/errors.ts';
import {
  type InitStreamResponse,
  messagesOf,
  parseInitStream,
  parseJsonObject,
  promptOf,
} from '../protocol/init-stream.ts';
import type { Settings } from '../protocol/settings.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import type { AccessTokens } from '../security/access-token.ts';
import { checkCallbackUrl } from '../security/callback-guard.ts';
import { newSession, type SessionState } from '../stream/session.ts';
import type { Authoriser } from './authorise.ts';

/** Longest an answer may take beyond its TTL and retention, for the life of its access token. */
const ANSWER_TIME_MS = 60 * 60 * 1000;

/** What a host gives to open streams. */
export interface OpenStreamPorts {
  readonly settings: Settings;
  readonly authorise: Authoriser;
  readonly accessTokens: AccessTokens;
  readonly registry: ProviderRegistry;
  nowMs(): number;
  newStreamId(): string;
  /** Counts the stream against its subject; throws `rate_limited`. */
  admit(subject: string): Promise<void>;
  /** Keeps the new session; MUST be durable when it resolves. */
  create(state: SessionState): Promise<void>;
}

/** The parts of the HTTP request that matter. */
export interface OpenStreamInput {
  readonly contentType: string | null;
  readonly bodyText: string;
  readonly authorization: string | null;
  readonly apiKey: string | null;
  /** Scheme and host the request came to; `PUBLIC_URL` goes before it. */
  readonly requestBaseUrl: string;
}

/**
 * Opens a stream. The caller is known before its request is judged, and everything is judged
 * before anything is kept.
 *
 * Errors: `unsupported_media_type`, `validation_failed`, `unauthorized`, `rate_limited`,
 * `unavailable`.
 */
export async function openStream(
  ports: OpenStreamPorts,
  input: OpenStreamInput,
): Promise<InitStreamResponse & { readonly streamId: string }> {
  if (!/^application\/(json|[\w.-]+\+json)\s*(;|$)/i.test(input.contentType ?? '')) {
    throw new GatewayError(
      'unsupported_media_type',
      'Send the body as JSON, with the header `Content-Type: application/json`.',
    );
  }
  const body = parseJsonObject(input.bodyText);
  const caller = await ports.authorise({
    token: typeof body['n8nToken'] === 'string' ? body['n8nToken'] : undefined,
    authorization: input.authorization,
    apiKey: input.apiKey,
  });
  const request = parseInitStream(body);
  const target = ports.registry.resolve(request.model);
  checkCallbackUrl(request.resumeUrl, {
    allowedHosts: ports.settings.callbackAllowedHosts,
    allowLoopback: ports.settings.devMode,
  });
  await ports.admit(caller.subject);

  const nowMs = ports.nowMs();
  const streamId = ports.newStreamId();
  const times = {
    ttlMs: ports.settings.streamTtlMs,
    retentionMs: ports.settings.streamRetentionMs,
  };
  const state = newSession(
    {
      streamId,
      subject: caller.subject,
      provider: target.provider.name,
      model: target.model,
      modelName: target.name,
      messages: messagesOf(request),
      maxTokens: request.max_tokens,
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
      start: request.start,
      resumeUrl: request.resumeUrl,
      userId: request.userId ?? null,
      chatId: request.chatId ?? null,
      prompt: promptOf(request),
    },
    times,
    nowMs,
  );
  const token = await ports.accessTokens.issue(
    streamId,
    nowMs + times.ttlMs + ANSWER_TIME_MS + times.retentionMs,
  );
  await ports.create(state);
  const base = (ports.settings.publicUrl ?? input.requestBaseUrl).replace(/\/+$/, '');
  return { ok: true, streamId, streamUrl: `${base}/stream/${streamId}?access_token=${token}` };
}
