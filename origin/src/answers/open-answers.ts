/** Answers of models as sessions of the gateway: its limits, its fallbacks, its counts. */

import {
  admitSession,
  type SessionAddress,
  type SessionWish,
} from '@headwater/shared/gateway/admit-session';
import type { SubjectLedger } from '@headwater/shared/gateway/subject-ledger';
import { BROKEN_OFF, thrownOf } from '@headwater/shared/openai-api/chat-sink';
import { explain } from '@headwater/shared/openai-api/chat-stream';
import type { AnswerSettings } from '@headwater/shared/protocol/answer-settings';
import { toGatewayError } from '@headwater/shared/protocol/errors';
import type { Settings } from '@headwater/shared/protocol/settings';
import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import type { AccessTokens } from '@headwater/shared/security/access-token';
import type { Logger } from '@headwater/shared/stream/ports';
import { isEnded, type StreamRequest } from '@headwater/shared/stream/session-state';
import type { StreamView } from '@headwater/shared/stream/stream-view';
import { type Cost, costOf } from '@headwater/shared/text/cost';
import type { FirstWords } from '@headwater/shared/text/first-words';
import { priceOf } from '@headwater/shared/text/model-prices';
import type { Database } from '../database/database.ts';
import type { SessionHandle, SessionRegistry } from '../sessions/session-registry.ts';
import { createAnswerCache, type KeptAnswer } from './answer-cache.ts';
import { type AnswerEnds, createAnswerEnds, isKeepable } from './answer-ends.ts';
import type { AnswerService, AnswerWish, TextAnswer } from './answer-service.ts';
import { cacheKeyOf } from './cache-key.ts';
import { collectAnswer } from './collect-answer.ts';
import { asOptionFault, createModelNames, type NamedModels } from './name-models.ts';
import { unlessLeft } from './unless-left.ts';

/** What answers are wired to. */
export interface AnswerPorts {
  readonly settings: Settings;
  readonly answers: AnswerSettings;
  readonly registry: ProviderRegistry;
  readonly ledger: SubjectLedger;
  readonly accessTokens: AccessTokens;
  /** They are opened after this service: what they bring back may end at once, and tells it so. */
  readonly sessions: Promise<SessionRegistry>;
  readonly database: Database;
  readonly words: Pick<FirstWords, 'timeOf'>;
  readonly logger: Logger;
  nowMs(): number;
  newStreamId(): string;
}

/** The service, and what its host tells it. */
export interface HostedAnswers extends AnswerService {
  /** A session has ended, and its end is kept. Never rejects. */
  ended(request: StreamRequest): Promise<void>;
}

/** Longest answer where the caller does not say, in tokens: the value of seed 001. */
const DEFAULT_ANSWER_TOKENS = 2048;

/** A caller waits on the line: a session that is not read at once has lost it, in ms. */
const TTL_MS = 10_000;

/** An answer without an address is kept for as long as its one reader may lag, in ms. */
const RETENTION_MS = 60_000;

/** A wish, judged. */
interface Judged {
  readonly wish: AnswerWish;
  readonly models: NamedModels;
  readonly maxTokens: number;
  /** Set where a kept answer will do. */
  readonly cache?: { readonly key: string; readonly ttlMs: number };
  readonly kept?: KeptAnswer;
}

/** Makes the service. */
export function createAnswerService(ports: AnswerPorts): HostedAnswers {
  const { settings, registry, accessTokens, logger } = ports;
  const names = createModelNames({ ...ports, settings: ports.answers });
  const cache = createAnswerCache(ports);
  const ends: AnswerEnds = createAnswerEnds({
    logger,
    cache,
    costOf: (view, isGiven) => priced(view.model, view.usage, isGiven),
    view: viewOf,
  });

  function priced(
    model: string,
    usage: Parameters<typeof costOf>[0],
    isKept: boolean,
  ): Cost | null {
    const price = priceOf(model, ports.answers.prices);
    if (!isKept) return costOf(usage, price);
    // Nobody was asked.
    return costOf(usage && { inputTokens: 0, outputTokens: 0 }, price);
  }

  async function viewOf(streamId: string): Promise<StreamView | undefined> {
    return (await (await ports.sessions).get(streamId))?.view();
  }

  async function judge(wish: AnswerWish): Promise<Judged> {
    const { policy, cacheSeconds, maxTokens = DEFAULT_ANSWER_TOKENS } = wish;
    const models = await names.modelsOf(wish);
    const judged = { wish, models, maxTokens };
    // What no model said must not stand for what one would say.
    if (cacheSeconds === undefined || wish.given !== undefined) return judged;
    // What a policy means may change from one request to the next, and they are equal yet.
    const asked = wish.model === undefined && policy !== undefined ? `by ${policy}` : models.model;
    const key = cacheKeyOf(wish, { model: asked, maxTokens });
    const ttlMs = cacheSeconds * 1000;
    const kept = await cache.find(key, ttlMs);
    const cached = { key, ttlMs };
    if (kept === undefined || !isServed(kept.model)) return { ...judged, cache: cached };
    return { ...judged, cache: cached, kept };
  }

  /** Its vendor may have been switched off since. */
  function isServed(model: string): boolean {
    try {
      registry.resolve(model);
      return true;
    } catch {
      // Whatever is wrong with it, another model has to answer.
      return false;
    }
  }

  /** Opens the session of a wish, as its caller needs it. */
  async function openSession(
    { wish, models, maxTokens, kept }: Judged,
    manner: Pick<SessionWish, 'isKept' | 'start' | 'onDisconnect'> & Partial<SessionWish>,
    address: SessionAddress,
    times?: Partial<Pick<Settings, 'streamTtlMs' | 'streamRetentionMs'>>,
  ): Promise<{ streamId: string; streamUrl: string; session: SessionHandle }> {
    const { messages, temperature, purpose, preface, textRules } = wish;
    const sessions = await ports.sessions;
    const given = givenOf(wish, kept);
    const { streamId, streamUrl } = await admitSession(
      {
        ...ports,
        settings: times === undefined ? settings : { ...settings, ...times },
        create: sessions.create,
      },
      {
        subject: wish.subject,
        model: kept?.model ?? models.model,
        fallbackModels: kept === undefined ? models.fallbackModels : [],
        messages,
        maxTokens,
        ...(temperature === undefined ? {} : { temperature }),
        mayRestart: true,
        ...(purpose === undefined ? {} : { purpose }),
        ...(preface === undefined ? {} : { preface }),
        ...(textRules === undefined ? {} : { textRules }),
        ...(given === undefined ? {} : { given }),
        userId: null,
        chatId: null,
        prompt: messages.findLast(({ role }) => role === 'user')?.content ?? '',
        ...manner,
      },
      address,
    ).catch((thrown: unknown) => {
      throw asOptionFault(thrown);
    });
    const session = await sessions.get(streamId);
    if (session === undefined) throw thrownOf(BROKEN_OFF);
    return { streamId, streamUrl, session };
  }

  async function askSession(judged: Judged, signal: AbortSignal): Promise<TextAnswer> {
    const { wish, models, cache: cached, kept } = judged;
    const goesOn = wish.purpose !== undefined;
    const keeping = cached !== undefined && kept === undefined ? cached : undefined;
    const { session } = goesOn
      ? await openSession(
          judged,
          {
            isKept: true,
            start: 'now',
            onDisconnect: 'continue',
            ...(keeping === undefined ? {} : { cache: keeping }),
          },
          {},
        )
      : await openSession(
          judged,
          { isKept: false, start: 'connect', onDisconnect: 'cancel', graceMs: 0 },
          {},
          {
            streamTtlMs: Math.min(TTL_MS, settings.streamTtlMs),
            streamRetentionMs: Math.min(RETENTION_MS, settings.streamRetentionMs),
          },
        );
    let collected: Awaited<ReturnType<typeof collectAnswer>>;
    try {
      collected = await collectAnswer(session, signal);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      throw await explain(toGatewayError(thrown), async () => (await session.view()).error);
    }
    const name = kept?.model ?? models.model;
    const { model, provider } =
      kept === undefined && models.fallbackModels.length > 0
        ? await session.view()
        : { model: name, provider: registry.resolve(name).provider.name };
    const isCached = kept !== undefined;
    const cost = priced(model, collected.usage, isCached);
    const answer: TextAnswer = { ...collected, model, provider, cost, isCached };
    if (keeping !== undefined && !goesOn && isKeepable(answer)) {
      // Nobody waits for it.
      void cache.keep(keeping.key, answer, keeping.ttlMs);
    }
    return answer;
  }

  return {
    ended: ends.ended,
    onEnd: ends.onEnd,
    modelsOf: names.modelsOf,
    costOf: ({ model, usage }) => priced(model, usage, false),
    async targetsOf(wish) {
      const { model, fallbackModels } = await names.modelsOf(wish);
      return [model, ...fallbackModels].map((name) => registry.resolve(name));
    },
    async endOf(streamId) {
      const view = await viewOf(streamId);
      if (view === undefined) return undefined;
      return isEnded(view.status) ? ends.outcomeOf(view, false) : 'live';
    },
    async ask(wish, signal) {
      const judged = await judge(wish);
      const { kept } = judged;
      if (kept === undefined || wish.purpose !== undefined) {
        return unlessLeft(askSession(judged, signal), signal);
      }
      const { text, model, usage } = kept;
      const provider = registry.resolve(model).provider.name;
      const cost = priced(model, usage, true);
      return { text, model, provider, finishReason: 'stop', usage, cost, isCached: true };
    },
    async open(wish, requestBaseUrl) {
      const judged = await judge(wish);
      const { kept, cache: cached } = judged;
      const goesOn = wish.purpose !== undefined;
      const base = (settings.publicUrl ?? requestBaseUrl).replace(/\/+$/, '');
      const opened = await openSession(
        judged,
        {
          isKept: true,
          start: goesOn ? 'now' : 'connect',
          onDisconnect: goesOn ? 'continue' : 'cancel',
          ...(cached === undefined || kept !== undefined ? {} : { cache: cached }),
        },
        {
          urlOf: async (id, expiresAtMs) => {
            const token = await accessTokens.issue(id, expiresAtMs);
            return `${base}/ai/stream/${id}?format=json&access_token=${token}`;
          },
        },
      );
      return { ...opened, isCached: kept !== undefined };
    },
  };
}

/** What is said without asking a model. */
function givenOf({ given }: AnswerWish, kept: KeptAnswer | undefined) {
  if (kept !== undefined) {
    const { inputTokens, outputTokens } = kept.usage;
    return { text: kept.text, inputTokens, outputTokens };
  }
  return given === undefined ? undefined : { text: given, inputTokens: 0, outputTokens: 0 };
}
