/** From what a known caller asks for to a session that is kept: every entry point goes through here. */

import { GatewayError } from '../protocol/errors.ts';
import type { Settings } from '../protocol/settings.ts';
import type { ModelMessage } from '../providers/contract.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import { MODEL_FAMILIES } from '../providers/route-model.ts';
import type { MaybePromise } from '../stream/ports.ts';
import {
  type ModelTarget,
  newSession,
  type SessionState,
  type StreamRequest,
} from '../stream/session-state.ts';
import { refusalOf, type SubjectLedger } from './subject-ledger.ts';

/** Longest an answer may take beyond its TTL, for the life of its access token and of its lease. */
const ANSWER_TIME_MS = 60 * 60 * 1000;

const encoder = new TextEncoder();

/** What a host gives to keep sessions. */
export interface SessionPorts {
  readonly settings: Pick<Settings, 'limits' | 'streamTtlMs' | 'streamRetentionMs'>;
  readonly registry: ProviderRegistry;
  readonly ledger: SubjectLedger;
  nowMs(): number;
  newStreamId(): string;
  /** MUST have kept the session when it resolves; one whose stream id is known MUST change nothing. */
  create(state: SessionState): MaybePromise<void>;
}

/** What a caller asks for, without what the host decides. */
export interface SessionWish
  extends Omit<StreamRequest, 'streamId' | 'targets' | 'graceMs' | 'maxAnswerBytes'> {
  /** `undefined` for the default model. */
  readonly model: string | undefined;
  /** Models that take over when it fails, in order. */
  readonly fallbackModels?: readonly string[];
  /** Default `DISCONNECT_GRACE_SECONDS`. */
  readonly graceMs?: number;
}

/** How the session is to be found again. */
export interface SessionAddress {
  readonly idempotency?: { readonly key: string; readonly fingerprint: string };
  /**
   * The stream's URL, with a token that holds until `expiresAtMs`. It is made before the stream is
   * admitted, so that what is kept beside a key is the answer itself. Default: none, `''`.
   */
  urlOf?(streamId: string, expiresAtMs: number): MaybePromise<string>;
}

/** A session that is kept. */
export interface AdmittedSession {
  readonly streamId: string;
  readonly streamUrl: string;
  /** True where an equal request with the same key had opened it. */
  readonly replayed: boolean;
}

/**
 * Judges a wish, counts it against its subject and keeps its session. After a refusal nothing is
 * kept. A crash at any point leaves nothing that the same call does not mend.
 *
 * Errors: `payload_too_large`, `validation_failed`, `unavailable`, `conflict`, `rate_limited`.
 */
export async function admitSession(
  ports: SessionPorts,
  wish: SessionWish,
  address: SessionAddress = {},
): Promise<AdmittedSession> {
  const { settings, ledger } = ports;
  const { model, fallbackModels = [], graceMs, ...asked } = wish;
  checkPromptBytes(wish.messages, settings.limits.maxPromptBytes);
  const targets = resolveTargets(ports.registry, model, fallbackModels);

  const nowMs = ports.nowMs();
  const times = { ttlMs: settings.streamTtlMs, retentionMs: settings.streamRetentionMs };
  const liveUntilMs = nowMs + times.ttlMs + ANSWER_TIME_MS;
  const streamId = ports.newStreamId();
  const streamUrl = (await address.urlOf?.(streamId, liveUntilMs + times.retentionMs)) ?? '';
  const { idempotency } = address;
  const { subject } = wish;
  const admission = await ledger.admit({
    subject,
    streamId,
    streamUrl,
    ...(idempotency === undefined ? {} : { idempotency }),
    liveUntilMs,
    nowMs,
  });
  if (admission.type === 'conflict' || admission.type === 'limited') throw refusalOf(admission);
  const replayed = admission.type === 'again';
  const opened = replayed ? admission : { streamId, streamUrl, confirmed: false };
  if (!opened.confirmed) {
    const request: StreamRequest = {
      ...asked,
      streamId: opened.streamId,
      targets,
      graceMs: graceMs ?? settings.limits.disconnectGraceMs,
      maxAnswerBytes: settings.limits.maxAnswerBytes,
    };
    try {
      await ports.create(newSession(request, times, nowMs));
    } catch (thrown) {
      // With a key the lease stays: the same call creates the session under it.
      if (idempotency === undefined) await releaseQuietly(ledger, subject, streamId);
      throw thrown;
    }
    if (idempotency !== undefined) await ledger.confirm(subject, idempotency.key);
  }
  return { streamId: opened.streamId, streamUrl: opened.streamUrl, replayed };
}

async function releaseQuietly(
  ledger: SubjectLedger,
  subject: string,
  streamId: string,
): Promise<void> {
  try {
    await ledger.release(subject, streamId);
  } catch {
    // The caller hears of the first failure; the lease ends by itself.
  }
}

/** All that the model has to read as text. */
function checkPromptBytes(messages: readonly ModelMessage[], maxBytes: number): void {
  let bytes = 0;
  for (const { content, toolCalls = [] } of messages) {
    for (const text of [content, ...toolCalls.map((call) => call.arguments)]) {
      bytes += encoder.encode(text).byteLength;
    }
    if (bytes > maxBytes) {
      throw new GatewayError(
        'payload_too_large',
        `The messages may have at most ${maxBytes} bytes of text here. Send less, or raise MAX_PROMPT_BYTES.`,
      );
    }
  }
}

/** The model asked for, then those that take over. */
function resolveTargets(
  registry: ProviderRegistry,
  model: string | undefined,
  fallbackModels: readonly string[],
): readonly [ModelTarget, ...ModelTarget[]] {
  const first = targetOf(registry, model);
  return [first, ...fallbackModels.map((name, at) => resolveFallback(registry, name, at))];
}

function targetOf(registry: ProviderRegistry, name: string | undefined): ModelTarget {
  const found = registry.resolve(name);
  return { provider: found.provider.name, model: found.model, name: found.name };
}

/** A fault of the name is told with its place in the list. */
function resolveFallback(registry: ProviderRegistry, name: string, at: number): ModelTarget {
  try {
    return targetOf(registry, name);
  } catch (thrown) {
    if (!(thrown instanceof GatewayError) || thrown.code !== 'validation_failed') throw thrown;
    const path = `fallbackModels.${at}`;
    throw new GatewayError(
      'validation_failed',
      `${path} names no model that is served here. Accepted: ${MODEL_FAMILIES}.`,
      {
        cause: thrown,
        details: { fields: [{ path, message: `must be one of: ${MODEL_FAMILIES}` }] },
      },
    );
  }
}
