/** Characters, wired to what an origin has. */

import type { Clock, Logger } from '@headwater/shared/stream/ports';
import type { SpeechEngines } from '@headwater/shared/voice/speech-ports';
import type { AnswerService } from '../answers/answer-service.ts';
import type { ChatService } from '../chat/chat-service.ts';
import type { Database } from '../database/database.ts';
import { createSpeechService, type SpeechService } from '../speech/speech-service.ts';
import { type CharacterBook, createCharacterBook } from './character-book.ts';
import { createCharacterStore } from './character-store.ts';
import { createInteract } from './interact.ts';
import { createPersonaContexts } from './persona-contexts.ts';

/** What they are wired to. */
export interface CharacterDeps {
  readonly database: Database;
  readonly answers: Pick<AnswerService, 'ask' | 'open' | 'targetsOf'>;
  readonly chat: Pick<ChatService, 'take' | 'ended' | 'remove'>;
  readonly speech: SpeechEngines;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the routes of characters and speech use. */
export interface Characters {
  readonly book: CharacterBook;
  readonly interact: ReturnType<typeof createInteract>;
  readonly speech: SpeechService;
  readonly answers: CharacterDeps['answers'];
}

/** Makes them. */
export function createCharacters(deps: CharacterDeps): Characters {
  const { database, answers, chat, clock, logger } = deps;
  const store = createCharacterStore(database);
  const book = createCharacterBook({ store, database, clock });
  const contexts = createPersonaContexts({ answers, clock, logger });
  const speech = createSpeechService(deps.speech);
  const interact = createInteract({ book, store, contexts, answers, chat, speech });
  return { book, interact, speech, answers };
}
