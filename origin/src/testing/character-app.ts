/** The character services on real answers, conversations and a database, with scripted models. */

import { randomUUID } from 'node:crypto';
import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { obeyedOrders } from '@headwater/shared/testing/obeyed-orders';
import type {
  RecordedRequest,
  SaidTurn,
  ScriptedVendor,
} from '@headwater/shared/testing/vendors/scripted-requests';
import type { SpeechEngines } from '@headwater/shared/voice/speech-ports';
import { createCharacters } from '../characters/create-characters.ts';
import { createChat } from '../chat/create-chat.ts';
import { addAiChatRoutes } from '../routes/ai-chat.ts';
import { addCharacterRoutes } from '../routes/characters.ts';
import { addSpeechRoutes } from '../routes/speech.ts';
import { createBareApp } from './bare-app.ts';
import { openTestOrigin } from './open-test-origin.ts';
import type { ReplyError } from './reply-error.ts';

const KEY = 'the-key-between-edge-and-origin';

/** What the answers of these routes have, each of them some: what is not there is `undefined`. */
interface ReplyBody {
  readonly id: string;
  readonly context: string;
  readonly rules: readonly string[];
  readonly usage: object | null;
  readonly response: string;
  readonly session_id: string;
  readonly audio_data: string;
  readonly transcript: string;
  readonly character: object;
  readonly characters: readonly { readonly id: string }[];
  readonly error: ReplyError;
}

/** What a caller got. */
export interface CharacterReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Of JSON. */
  readonly body: ReplyBody;
  readonly text: string;
}

/** A caller that nobody was before. */
export interface CharacterCaller {
  ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    body?: object,
  ): Promise<CharacterReply>;
  post(url: string, body: object): Promise<CharacterReply>;
}

/** The app, and what it is made of. */
export interface CharacterApp {
  readonly vendor: ScriptedVendor;
  /** Log lines, as text. */
  readonly logged: readonly string[];
  createCaller(): CharacterCaller;
  close(): Promise<void>;
}

/** Turns of a recorded request to the OpenAI vendor. */
export function turnsOf({ body }: RecordedRequest): readonly { role: string; content: string }[] {
  return (body as { messages: { role: string; content: string }[] }).messages;
}

/** True of a request for context and rules. */
export function isChainRequest(request: RecordedRequest): boolean {
  return turnsOf(request)[0]?.content.startsWith('You prepare a model') ?? false;
}

/**
 * Obeys whoever may give orders. A chain's first link fails for characters named `Broken` (no JSON)
 * and `Down` (status 500).
 */
function obey(turns: readonly SaidTurn[]) {
  const messages = turns.map(({ role, text: content }) => ({
    role: role as 'system' | 'user' | 'assistant',
    content,
  }));
  const orders = obeyedOrders(messages);
  if (!messages[0]?.content.startsWith('You prepare a model')) {
    return { text: orders.join(' ') || 'nothing' };
  }
  const asked = messages[1]?.content ?? '';
  if (asked.includes('You are Down.')) return { status: 500 };
  if (asked.includes('You are Broken.')) return { text: 'I would rather not.' };
  const rules = ['A rule of the model.', ...orders.map((word) => `ORDER: say ${word}`)];
  return { text: JSON.stringify({ context: 'You were written by a model.', rules }) };
}

/** Opens it. */
export async function openCharacterApp(speech: SpeechEngines): Promise<CharacterApp> {
  const vendor = await startScriptedVendor({ mind: obey });
  const origin = await openTestOrigin({
    OPENAI_API_KEY: 'key',
    OPENAI_BASE_URL: vendor.openaiBaseUrl,
    INTERNAL_API_KEY: KEY,
    UPSTREAM_MAX_RETRIES: '0',
    UPSTREAM_BREAKER_FAILURES: '0',
    RATE_LIMIT_PER_MINUTE: '1000',
  });
  const { gateway } = origin;
  // Making its tables takes seconds on a busy machine, and is no part of a test.
  await gateway.database.hasVectors();
  const clock = { nowMs: Date.now };
  const chat = createChat({
    ...gateway,
    chat: { windowTokens: 2_000, maxSessions: 50, maxMessages: 100, retentionMs: 1e9 },
    clock,
  });
  const characters = createCharacters({ ...gateway, chat, speech, clock });
  const app = createBareApp(gateway.settings);
  addAiChatRoutes(app, { ...gateway, chat });
  addCharacterRoutes(app, { ...gateway, characters });
  addSpeechRoutes(app, { ...gateway, characters });

  function createCaller(): CharacterCaller {
    const headers = { 'x-api-key': KEY, 'x-headwater-subject': `caller-${randomUUID()}` };
    async function ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object) {
      const response = await app.inject({
        method,
        url,
        headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { payload: JSON.stringify(body) }),
      });
      const isJson = String(response.headers['content-type']).includes('json');
      return {
        status: response.statusCode,
        headers: response.headers,
        body: isJson ? response.json() : undefined,
        text: response.payload,
      };
    }
    return { ask, post: (url, body) => ask('POST', url, body) };
  }

  return {
    vendor,
    logged: origin.logged,
    createCaller,
    async close() {
      await app.close();
      await chat.close();
      await origin.close();
      await vendor.close();
    },
  };
}
