/** What the tests of conversations share: a service on one database for a file, whose answers a test decides. */

import { randomUUID } from 'node:crypto';
import { type ChatRequest, parseChatRequest } from '@headwater/shared/protocol/ai-chat';
import type { ModelMessage, ModelProvider } from '@headwater/shared/providers/contract';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { createVirtualClock } from '@headwater/shared/testing/virtual-clock';
import { afterAll, beforeAll } from 'vitest';
import { type ChatPorts, createChatService } from '../chat/chat-service.ts';
import { createChatStore } from '../chat/chat-store.ts';
import type { Database } from '../database/database.ts';
import { openTestDatabase } from './describe-with-databases.ts';
import { createScriptedAnswers } from './scripted-answers.ts';

/** Longest time the database has to be made in, in ms. */
const OPEN_MS = 60_000;

/** A caller that does not leave. */
export const never = new AbortController().signal;

/** A text of so many tokens, about. */
export const words = (count: number) => 'word '.repeat(count).trim();

/** What may be different. */
interface ChatHostOptions extends Partial<ChatPorts> {
  readonly windowTokens?: number;
  readonly maxSessions?: number;
  /** What the summariser says, or fails with. */
  readonly summarise?: (messages: readonly ModelMessage[]) => string;
}

/** Opens a database for this file; gives what makes hosts on it, each with an owner of its own. */
export function useChatHosts() {
  let opened: Awaited<ReturnType<typeof openTestDatabase>> | undefined;
  beforeAll(async () => {
    opened = await openTestDatabase();
    await opened.database.hasVectors();
  }, OPEN_MS);
  afterAll(async () => opened?.close(), OPEN_MS);
  return (options: ChatHostOptions = {}) => {
    if (opened === undefined) throw new Error('the database is not open yet');
    return createHost(opened.database, options);
  };
}

function createHost(
  database: Database,
  { windowTokens = 8000, maxSessions = 5, ...options }: ChatHostOptions,
) {
  const owner = randomUUID();
  const clock = createVirtualClock();
  const logger = createSilentLogger();
  const cancelled: string[] = [];
  const summaries: (readonly ModelMessage[])[] = [];
  const summariser: ModelProvider = {
    name: 'openai',
    async *stream({ messages }) {
      summaries.push(messages);
      const text = options.summarise?.(messages) ?? `summary ${summaries.length}`;
      yield [
        { type: 'text', text },
        { type: 'usage', inputTokens: 50, outputTokens: 5 },
      ];
    },
  };
  const answers = createScriptedAnswers(owner, [
    { provider: summariser, model: 'small', name: 'small' },
  ]);
  const store = createChatStore(database);
  const ports: ChatPorts = {
    store,
    answers: answers.service,
    settings: { windowTokens, maxSessions, maxMessages: 1000, retentionMs: 1000 },
    maxPromptBytes: 100_000,
    cancelStream: async (streamId) => void cancelled.push(streamId),
    isAlone: () => true,
    clock,
    logger,
    pollMs: 20,
    ...options,
  };
  const service = createChatService(ports);
  const asked = (request: Partial<ChatRequest>, idempotencyKey?: string) => ({
    owner,
    request: parseChatRequest({ message: 'hello', ...request }),
    idempotencyKey,
    requestBaseUrl: 'http://test',
  });
  async function take(request: Partial<ChatRequest> = {}, key?: string) {
    const turn = await service.take(asked(request, key));
    if (turn.type !== 'opened') throw new Error('a new turn was expected');
    return { ...turn, streamId: turn.opened.streamId };
  }
  /** A whole turn. */
  async function say(message: string, text: string, sessionId?: string) {
    const turn = await take({ message, ...(sessionId && { session_id: sessionId }) });
    await answers.end(turn.streamId, { text });
    return turn;
  }
  const promptOf = (streamId: string) => answers.wishes.get(streamId)?.messages ?? [];
  return {
    ...{ owner, answers, clock, logger, cancelled, summaries, store, ports, service },
    ...{ asked, take, say, promptOf },
  };
}
