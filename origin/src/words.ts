/** Everything an origin makes once for its text services, and how they begin and end. */

import type { Settings } from '@headwater/shared/protocol/settings';
import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import { NO_SPEECH } from '@headwater/shared/voice/speech-ports';
import type { AnswerService } from './answers/answer-service.ts';
import { type Characters, createCharacters } from './characters/create-characters.ts';
import type { ChatService } from './chat/chat-service.ts';
import { createChat } from './chat/create-chat.ts';
import type { OriginConfig } from './config.ts';
import type { Database } from './database/database.ts';
import { createDocumentIntake, type DocumentIntake } from './documents/document-intake.ts';
import { createDocumentReader } from './documents/document-reader.ts';
import { createInputFetch } from './inputs/fetch-input.ts';
import { createRagService, type RagService } from './rag/rag-service.ts';
import { chooseVectors } from './retrieval/choose-vectors.ts';
import { openPassageLibrary } from './retrieval/open-library.ts';
import type { PassageLibrary } from './retrieval/passage-library.ts';
import { createScripts, type Scripts } from './scripts/create-scripts.ts';
import type { SessionRegistry } from './sessions/session-registry.ts';
import type { OriginTasks } from './tasks/open-tasks.ts';

/** What they are made from. */
export interface OpenWordsOptions {
  readonly config: OriginConfig;
  /** The environment that processes which read documents get a part of. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly registry: ProviderRegistry;
  readonly answers: AnswerService;
  readonly sessions: SessionRegistry;
  readonly tasks: OriginTasks;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The text services, as the routes see them. */
export interface OriginWords {
  readonly chat: ChatService;
  readonly characters: Characters;
  readonly scripts: Scripts;
  readonly library: PassageLibrary;
  readonly documents: DocumentIntake;
  readonly rag: RagService;
  /** Looks after what was begun before. */
  start(): Promise<void>;
  /** Before the database is closed. */
  close(): Promise<void>;
}

/** Wires them. */
export function openWords(options: OpenWordsOptions): OriginWords {
  const { config, registry, answers, sessions, tasks, database, clock, logger } = options;
  const { settings, origin } = config;
  const shared = { database, answers, clock, logger };
  const chat = createChat({ ...shared, sessions, settings, chat: origin.chat });
  const scripts = createScripts({
    ...shared,
    tasks,
    names: answers,
    registry,
    settings,
    scripts: origin.scripts,
    taskTimeoutMs: origin.tasks.timeoutMs,
  });
  const searched = { database, logger, nowMs: clock.nowMs };
  const library = openPassageLibrary({
    ...searched,
    vectors: chooseVectors(settings, origin.retrieval, searched),
  });
  const reader = createDocumentReader({
    logger,
    env: options.env,
    maxReaders: origin.documents.maxReaders,
  });
  const fetched = openFetch(settings, origin);
  return {
    chat,
    scripts,
    library,
    characters: createCharacters({ ...shared, chat, speech: NO_SPEECH }),
    documents: createDocumentIntake({
      library,
      reader,
      spool: tasks.spool,
      fetchInput: fetched.open,
      maxBytes: origin.documents.maxBytes,
      logger,
    }),
    // Any secret of the gateway will do: what is made of it goes to models, and tells nothing of it.
    rag: createRagService({ answers, library, boundaryKey: settings.jwtSecrets[0] }),
    async start() {
      await scripts.start();
    },
    async close() {
      scripts.close();
      await Promise.all([chat.close(), library.close(), reader.close(), fetched.close()]);
    },
  };
}

function openFetch({ devMode }: Settings, { tasks }: OriginConfig['origin']) {
  const { allowedHosts } = tasks.inputs;
  return createInputFetch({ allowedHosts, allowLoopback: devMode });
}
