/** Conversations, wired to what an origin has. */

import type { ChatSettings } from '@headwater/shared/protocol/chat-settings';
import type { Settings } from '@headwater/shared/protocol/settings';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import type { AnswerService } from '../answers/answer-service.ts';
import type { Database } from '../database/database.ts';
import type { SessionRegistry } from '../sessions/session-registry.ts';
import { type ChatService, createChatService } from './chat-service.ts';
import { createChatStore } from './chat-store.ts';

/** What it is wired to. */
export interface ChatDeps {
  readonly database: Database;
  readonly answers: AnswerService;
  readonly sessions: Pick<SessionRegistry, 'get'>;
  readonly settings: Pick<Settings, 'limits'>;
  readonly chat: ChatSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes it. */
export function createChat(deps: ChatDeps): ChatService {
  const { database, answers, sessions, settings, chat, clock, logger } = deps;
  return createChatService({
    store: createChatStore(database),
    answers,
    settings: chat,
    maxPromptBytes: settings.limits.maxPromptBytes,
    async cancelStream(streamId) {
      try {
        const session = await sessions.get(streamId);
        await session?.cancel();
      } catch (err) {
        // The model goes on for nobody until its own end; what it says is kept nowhere here.
        logger.warn({ streamId, err }, 'stream not cancelled');
      }
    },
    isAlone: () => database.look().kind === 'embedded',
    clock,
    logger,
  });
}
