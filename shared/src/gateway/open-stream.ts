/** `POST /init-stream`, from the body's text to a session: the same on both hosts. */

import {
  type InitStreamResponse,
  messagesOf,
  parseInitStream,
  parseJsonObject,
  promptOf,
} from '../protocol/init-stream.ts';
import type { Settings } from '../protocol/settings.ts';
import type { AccessTokens } from '../security/access-token.ts';
import { checkCallbackUrl } from '../security/callback-guard.ts';
import { admitSession, type SessionPorts } from './admit-session.ts';
import type { Authoriser } from './authorise.ts';
import { fingerprintOf, readIdempotencyKey } from './idempotency.ts';
import { requireJson } from './require-json.ts';

/** What a host gives to open streams. */
export interface OpenStreamPorts extends SessionPorts {
  readonly settings: Settings;
  readonly authorise: Authoriser;
  readonly accessTokens: AccessTokens;
}

/** The parts of the HTTP request that matter. */
export interface OpenStreamInput {
  readonly contentType: string | null;
  readonly bodyText: string;
  readonly authorization: string | null;
  readonly apiKey: string | null;
  /** Header `Idempotency-Key`. */
  readonly idempotencyKey: string | null;
  /** Scheme and host the request came to; `PUBLIC_URL` goes before it. */
  readonly requestBaseUrl: string;
}

/** The answer, and what goes into its headers and the log. */
export interface OpenedStream {
  readonly body: InitStreamResponse;
  readonly streamId: string;
  /** The same answer was given before. */
  readonly replayed: boolean;
}

/**
 * Opens a stream. The caller is known before its request is judged, and everything is judged
 * before anything is kept.
 *
 * Errors: `unsupported_media_type`, `validation_failed`, `unauthorized`, `payload_too_large`,
 * `conflict`, `rate_limited`, `unavailable`.
 */
export async function openStream(
  ports: OpenStreamPorts,
  input: OpenStreamInput,
): Promise<OpenedStream> {
  requireJson(input.contentType);
  const body = parseJsonObject(input.bodyText);
  const caller = await ports.authorise({
    token: typeof body['n8nToken'] === 'string' ? body['n8nToken'] : undefined,
    authorization: input.authorization,
    apiKey: input.apiKey,
  });
  const key = readIdempotencyKey(input.idempotencyKey);
  const request = parseInitStream(body);
  checkCallbackUrl(request.resumeUrl, {
    allowedHosts: ports.settings.callbackAllowedHosts,
    allowLoopback: ports.settings.devMode,
  });
  const base = (ports.settings.publicUrl ?? input.requestBaseUrl).replace(/\/+$/, '');
  const { streamId, streamUrl, replayed } = await admitSession(
    ports,
    {
      subject: caller.subject,
      model: request.model,
      fallbackModels: request.fallbackModels,
      messages: messagesOf(request),
      maxTokens: request.max_tokens,
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
      start: request.start,
      onDisconnect: request.onDisconnect,
      isKept: true,
      mayRestart: true,
      resumeUrl: request.resumeUrl,
      userId: request.userId ?? null,
      chatId: request.chatId ?? null,
      prompt: promptOf(request),
    },
    {
      ...(key === undefined
        ? {}
        : { idempotency: { key, fingerprint: await fingerprintOf(request) } }),
      urlOf: async (id, expiresAtMs) => {
        const token = await ports.accessTokens.issue(id, expiresAtMs);
        return `${base}/stream/${id}?access_token=${token}`;
      },
    },
  );
  return { body: { ok: true, streamUrl }, streamId, replayed };
}
