/** Turns of conversations: kept before a model is asked, and told as done once their end is kept. */

import { createHash } from 'node:crypto';
import { canonicalJson } from '@headwater/shared/gateway/idempotency';
import type { ChatRequest } from '@headwater/shared/protocol/ai-chat';
import { wishOf } from '@headwater/shared/protocol/answer-options';
import type { ChatSettings } from '@headwater/shared/protocol/chat-settings';
import { GatewayError, type WireError } from '@headwater/shared/protocol/errors';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import type {
  AnswerEnd,
  AnswerOutcome,
  AnswerService,
  OpenedAnswer,
} from '../answers/answer-service.ts';
import { unlessLeft } from '../answers/unless-left.ts';
import type { BegunTurn } from './begin-turn.ts';
import { type ChatMessage, type ChatSession, isChatId, type TurnFacts } from './chat-record.ts';
import { noSession } from './chat-rows.ts';
import type { AnswerEnding, ChatStore, MessagePage, Page } from './chat-store.ts';
import { measureText } from './measure-text.ts';
import { prepareTurn } from './prepare-turn.ts';

/** The kind of answers' purposes here. */
const PURPOSE = 'chat-turn';

/** What a conversation is made of. */
export interface ChatPorts {
  readonly store: ChatStore;
  readonly answers: Pick<AnswerService, 'open' | 'endOf' | 'onEnd' | 'targetsOf'>;
  readonly settings: ChatSettings;
  /** The setting `MAX_PROMPT_BYTES`. */
  readonly maxPromptBytes: number;
  /** Stops a model whose answer nobody wants any more; one that is over stays as it is. */
  readonly cancelStream: (streamId: string) => Promise<void>;
  /** True where no other process has these conversations. */
  readonly isAlone: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often a caller's wait looks for an end that another instance kept, in ms. Default 2 s. */
  readonly pollMs?: number;
}

/** What a caller says. */
interface TurnRequest {
  readonly owner: string;
  readonly request: ChatRequest;
  readonly idempotencyKey: string | undefined;
  readonly requestBaseUrl: string;
}

/** A turn that was taken. */
type TakenTurn =
  | {
      readonly type: 'opened';
      readonly sessionId: string;
      readonly answerId: string;
      readonly opened: OpenedAnswer;
    }
  /** The same request again. */
  | { readonly type: 'again'; readonly answer: ChatMessage };

/** Conversations. Errors of all: `unavailable` of the database. */
export interface ChatService {
  /**
   * Takes a message. Errors: `not_found`, `conflict` (another answer is being written),
   * `unprocessable`, `rate_limited`, `payload_too_large`, and those of the answer's admission: what
   * is refused leaves nothing.
   */
  take(turn: TurnRequest): Promise<TakenTurn>;
  /** Resolves once its end is kept. Errors: `not_found` where it is deleted; the reason of `signal`. */
  ended(answerId: string, signal: AbortSignal): Promise<ChatMessage>;
  list(owner: string, page: Page): Promise<readonly ChatSession[]>;
  /** Errors: `not_found`. */
  read(owner: string, sessionId: string, page: Page): Promise<ChatHistory>;
  /** Deletes all of it, and stops the answer that is being written. Errors: `not_found`. */
  remove(owner: string, sessionId: string): Promise<void>;
  /** Deletes conversations that nobody has used for `CHAT_RETENTION_DAYS`; it does so every hour. */
  sweep(): Promise<void>;
  /** Stops what goes on beside the requests. */
  close(): Promise<void>;
}

/** A conversation, and some of what was said in it. */
export interface ChatHistory extends MessagePage {
  readonly session: ChatSession;
}

/**
 * An answer without a stream is being prepared, which takes no longer than a summary does and some
 * queries; after this time its process is taken for dead, in ms. Where there is no other process,
 * one that this one does not know is dead at once, but for the moment of its birth.
 */
const PREPARE_MS = 120_000;
const BIRTH_MS = 5_000;

/** Waits before the end of an answer is offered again to a database that was away, in ms. */
const KEEP_AGAIN_MS = [1_000, 5_000, 30_000, 120_000];

const SWEEP_MS = 3_600_000;

const LOST: WireError = {
  code: 'processing_failed',
  message: 'The gateway stopped while this answer was written. Ask again.',
};

/** Makes it; from then on it hears of the ends of its answers. */
export function createChatService(ports: ChatPorts): ChatService {
  const { store, answers, settings, clock, logger, pollMs = 2_000 } = ports;
  const closing = new AbortController();
  /** Answers that this process prepares. */
  const preparing = new Set<string>();
  /** Who waits for an end; they are told what is kept, and `undefined` where it is deleted. */
  const waiting = new Map<string, Set<(answer: ChatMessage | undefined) => void>>();

  async function keepEnd(answerId: string, end: AnswerOutcome): Promise<void> {
    const tokens = await measureText(end.text, settings.windowTokens);
    const kept = await store.end(answerId, endingOf(end, tokens, clock.nowMs()));
    for (const tell of waiting.get(answerId) ?? []) tell(kept);
  }

  async function keepSurely(end: AnswerEnd, attempt = 0): Promise<void> {
    try {
      await keepEnd(end.purpose.id, end);
    } catch (err) {
      const waitMs = KEEP_AGAIN_MS[attempt];
      logger.warn({ messageId: end.purpose.id, attempt, err }, 'end of an answer not kept');
      // Whoever looks at the conversation next asks for the end of its stream.
      if (waitMs === undefined || closing.signal.aborted) return;
      setTimeout(() => void keepSurely(end, attempt + 1), waitMs).unref();
    }
  }

  answers.onEnd(PURPOSE, (end) => keepSurely(end));

  async function giveUp(answer: ChatMessage): Promise<void> {
    await store.end(answer.id, { ...NOTHING, status: 'lost', endedAtMs: clock.nowMs() });
    logger.warn({ messageId: answer.id, streamId: answer.streamId }, 'answer lost');
  }

  /** Ends an answer whose end nobody told. False while it is being written. */
  async function settle(answer: ChatMessage): Promise<boolean> {
    if (answer.streamId === null) {
      const ageMs = clock.nowMs() - answer.createdAtMs;
      if (preparing.has(answer.id)) return false;
      if (ageMs < (ports.isAlone() ? BIRTH_MS : PREPARE_MS)) return false;
      await giveUp(answer);
      return true;
    }
    const end = await answers.endOf(answer.streamId);
    if (end === 'live') return false;
    if (end === undefined) await giveUp(answer);
    else await keepEnd(answer.id, end);
    return true;
  }

  async function begin(turn: TurnRequest, tokens: number) {
    const { owner, request, idempotencyKey: key } = turn;
    const { session_id: sessionId, message } = request;
    if (sessionId !== undefined && !isChatId('chat', sessionId)) throw noSession();
    const keyed = key !== undefined;
    const wanted = {
      owner,
      sessionId,
      message,
      tokens,
      system: request.system ?? request.system_prompt,
      replacesSystem: request.update_system ?? false,
      turnKey: keyed ? sha256([owner, sessionId ?? null, key]) : undefined,
      fingerprint: keyed ? sha256(request) : undefined,
    };
    // The answer in the way may turn out to be over, and a next one may come in between.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const begun = await store.begin({ ...wanted, nowMs: clock.nowMs() }, settings);
      if (begun.type === 'again' && begun.answer.fingerprint !== wanted.fingerprint) {
        throw new GatewayError(
          'unprocessable',
          'The same Idempotency-Key came with another request before.',
        );
      }
      if (begun.type !== 'busy') return begun;
      if (!(await settle(begun.answer))) break;
    }
    throw new GatewayError(
      'conflict',
      'An answer of this conversation is still being written. Wait for its end, then send the message.',
    );
  }

  async function withdraw(turn: Extract<BegunTurn, { type: 'begun' }>): Promise<void> {
    try {
      await store.withdraw(turn);
    } catch (err) {
      // The caller hears of the first failure; the turn counts as lost after a while.
      logger.warn({ messageId: turn.answer.id, err }, 'turn not withdrawn');
    }
  }

  async function take(turn: TurnRequest): Promise<TakenTurn> {
    const { owner, request, requestBaseUrl } = turn;
    const { message } = request;
    requireBytes(ports.maxPromptBytes, message, request.system ?? request.system_prompt ?? '');
    const tokens = await measureText(message, settings.windowTokens);
    const choice = wishOf(request);
    const begun = await begin(turn, tokens);
    if (begun.type === 'again') return begun;
    const { session, answer } = begun;
    preparing.add(answer.id);
    try {
      let opened: OpenedAnswer;
      let facts: TurnFacts;
      try {
        const prepared = await prepareTurn(
          {
            ...ports,
            windowTokens: settings.windowTokens,
            summarisers: () => answers.targetsOf(choice),
            signal: closing.signal,
          },
          { session, seq: answer.seq - 1, message, tokens },
        );
        facts = prepared.facts;
        const data = {
          session_id: session.id,
          message_id: answer.id,
          summarised: facts.summarised,
          warnings: facts.warnings,
        };
        opened = await answers.open(
          {
            ...choice,
            subject: owner,
            messages: prepared.messages,
            purpose: { kind: PURPOSE, id: answer.id },
            preface: [{ type: 'note', name: 'chat', data }],
          },
          requestBaseUrl,
        );
      } catch (thrown) {
        await withdraw(begun);
        throw thrown;
      }
      if (!(await store.setStream(answer.id, opened, facts))) {
        // It was deleted in the meantime.
        await ports.cancelStream(opened.streamId);
        throw noSession();
      }
      return { type: 'opened', sessionId: session.id, answerId: answer.id, opened };
    } finally {
      preparing.delete(answer.id);
    }
  }

  /** Looks at once, and then now and then, for an end that another instance kept. */
  async function ended(answerId: string, signal: AbortSignal): Promise<ChatMessage> {
    for (;;) {
      signal.throwIfAborted();
      const told = Promise.withResolvers<ChatMessage | undefined | 'look'>();
      const look = () => told.resolve('look');
      const tellers = waiting.get(answerId) ?? new Set();
      waiting.set(answerId, tellers.add(told.resolve));
      const timer = setTimeout(look, pollMs);
      signal.addEventListener('abort', look);
      try {
        const found = await store.findAnswer(answerId);
        const answer = found?.status === 'pending' ? await told.promise : found;
        if (answer === undefined) throw noSession();
        if (answer !== 'look') return answer;
        if (found !== undefined) await unlessLeft(settleQuietly(found), signal);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', look);
        tellers.delete(told.resolve);
        if (tellers.size === 0) waiting.delete(answerId);
      }
    }
  }

  /** Of an answer that is waited for, whose end may have been told to a process that is gone. */
  async function settleQuietly(answer: ChatMessage): Promise<void> {
    try {
      await settle(answer);
    } catch (err) {
      // The next look decides; where the database is away, that one fails the wait.
      logger.warn({ messageId: answer.id, err }, 'answer not looked for');
    }
  }

  const sweeper = setInterval(() => void sweep(), SWEEP_MS);
  sweeper.unref();

  /** Removes what nobody has used for as long as conversations are kept. */
  async function sweep(): Promise<void> {
    try {
      const swept = await store.sweep(clock.nowMs() - settings.retentionMs);
      if (swept > 0) logger.info({ swept }, 'old conversations deleted');
    } catch (err) {
      // The next one will find them.
      logger.warn({ err }, 'conversations not swept');
    }
  }

  return {
    take,
    ended,
    list: (owner, page) => store.list(owner, page),
    async read(owner, sessionId, page) {
      const session = await store.find(owner, sessionId);
      if (session === undefined) throw noSession();
      for (const answer of await store.pending(sessionId)) await settle(answer);
      return { session, ...(await store.messages(sessionId, page)) };
    },
    async remove(owner, sessionId) {
      const streams = await store.remove(owner, sessionId);
      if (streams === undefined) throw noSession();
      for (const streamId of streams) await ports.cancelStream(streamId);
    },
    sweep,
    async close() {
      closing.abort();
      clearInterval(sweeper);
    },
  };
}

const NOTHING = {
  content: '',
  tokens: 0,
  model: null,
  provider: null,
  finishReason: null,
  usage: null,
  cost: null,
  error: LOST,
} satisfies Partial<AnswerEnding>;

function endingOf(end: AnswerOutcome, tokens: number, nowMs: number): AnswerEnding {
  const { text, model, provider, finishReason, usage, cost, error } = end;
  return {
    status: end.status === 'expired' ? 'failed' : end.status,
    content: text,
    tokens,
    model,
    provider,
    finishReason,
    usage,
    cost,
    error: error ?? (end.status === 'expired' ? LOST : null),
    endedAtMs: nowMs,
  };
}

function requireBytes(maxBytes: number, ...texts: readonly string[]): void {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= maxBytes) return;
  throw new GatewayError(
    'payload_too_large',
    `The message and the system prompt may have at most ${maxBytes} bytes here. Send less, or raise MAX_PROMPT_BYTES.`,
  );
}

function sha256(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
