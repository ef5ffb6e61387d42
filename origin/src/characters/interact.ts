/** `POST /interact`: from what a user says to what a character answers, in text or in speech. */

import { createHash } from 'node:crypto';
import { canonicalJson } from '@headwater/shared/gateway/idempotency';
import { wishOf } from '@headwater/shared/protocol/answer-options';
import {
  hearsSpeech,
  type InteractRequest,
  speaksAnswer,
} from '@headwater/shared/protocol/characters';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { CharacterDetails } from '@headwater/shared/text/characters/character';
import {
  writePersonaMessages,
  writePersonaSystem,
} from '@headwater/shared/text/characters/persona-prompt';
import { answerFields } from '../answers/answer-fields.ts';
import type { AnswerService, OpenedAnswer } from '../answers/answer-service.ts';
import { unlessLeft } from '../answers/unless-left.ts';
import { isChatId } from '../chat/chat-record.ts';
import type { ChatService } from '../chat/chat-service.ts';
import { viewTurn } from '../chat/chat-view.ts';
import { decodeAudio } from '../speech/audio-data.ts';
import type { SpeechService } from '../speech/speech-service.ts';
import type { CharacterBook } from './character-book.ts';
import type { CharacterStore } from './character-store.ts';
import type { PersonaContexts, SharedContext } from './persona-contexts.ts';

/** What it is wired to. */
export interface InteractPorts {
  readonly book: Pick<CharacterBook, 'resolve'>;
  readonly store: Pick<CharacterStore, 'bindSession' | 'boundTo'>;
  readonly contexts: PersonaContexts;
  readonly answers: Pick<AnswerService, 'ask' | 'open'>;
  readonly chat: Pick<ChatService, 'take' | 'ended' | 'remove'>;
  readonly speech: SpeechService;
}

/** Who interacts, and from where. */
export interface Interaction {
  readonly owner: string;
  readonly request: InteractRequest;
  readonly requestBaseUrl: string;
  readonly signal: AbortSignal;
}

/** What came of it: an answer to be streamed, or all of it. */
export type Interacted =
  | { readonly type: 'opened'; readonly opened: OpenedAnswer }
  | { readonly type: 'whole'; readonly body: Readonly<Record<string, unknown>> };

/** Room for an answer that is spoken where the caller names none, in tokens: about two minutes. */
const SPOKEN_MAX_TOKENS = 400;

/** A conversation's character, and what is known of its context. */
interface Character {
  readonly id: string | null;
  readonly name: string;
  readonly voice: string | undefined;
}

/** Makes the function that interacts. Errors: those of its parts; engines are checked first. */
export function createInteract(ports: InteractPorts) {
  const { book, store, contexts, answers, chat, speech } = ports;

  /** What the user says; and its transcript, where it was heard. */
  async function hear({ request, signal }: Interaction, audio: Uint8Array | undefined) {
    if (audio === undefined) return { text: request.user_input ?? '' };
    const { text } = await speech.hear(audio, request.language ?? undefined, signal);
    if (text.trim() !== '') return { text, transcript: text };
    const message = 'holds no speech that could be understood.';
    throw new GatewayError('validation_failed', `audio_data ${message}`, {
      details: { fields: [{ path: 'audio_data', message }] },
    });
  }

  async function finish(
    interaction: Interaction,
    character: Character,
    heard: { readonly transcript?: string },
    body: { readonly response: string } & Readonly<Record<string, unknown>>,
  ): Promise<Interacted> {
    const { request, signal } = interaction;
    const { mode } = request;
    const voice = request.voice_name ?? character.voice;
    const spoken = speaksAnswer(mode) ? await speech.speak(body.response, voice, signal) : {};
    return {
      type: 'whole',
      body: {
        ...body,
        ...spoken,
        ...(heard.transcript === undefined ? {} : { transcript: heard.transcript }),
        mode,
        character: { id: character.id, name: character.name || null },
      },
    };
  }

  /** A turn of a conversation that the gateway remembers. */
  async function talk(
    interaction: Interaction,
    heard: { readonly text: string; readonly transcript?: string },
    character: Character,
    begun: { readonly context: SharedContext; readonly details: CharacterDetails } | undefined,
  ): Promise<Interacted> {
    const { owner, request, requestBaseUrl, signal } = interaction;
    const turn = await chat.take({
      owner,
      requestBaseUrl,
      idempotencyKey: undefined,
      request: {
        ...optionsOf(request),
        message: heard.text,
        ...(request.session_id ? { session_id: request.session_id } : {}),
        ...(begun === undefined ? {} : { system: writePersonaSystem(begun.context) }),
      },
    });
    // Without a key no turn is one that was taken before.
    if (turn.type !== 'opened') throw new Error('a turn without a key was taken twice');
    if (begun !== undefined) await bind(owner, turn.sessionId, begun.details, character);
    if (request.stream) return { type: 'opened', opened: turn.opened };
    const view = viewTurn(await chat.ended(turn.answerId, signal));
    const warnings = [...(begun?.context.warnings ?? []), ...view.warnings];
    const body = {
      ...view,
      warnings,
      ...(begun === undefined ? {} : contextFields(begun.context)),
    };
    return await finish(interaction, character, heard, body);
  }

  async function bind(
    owner: string,
    sessionId: string,
    details: CharacterDetails,
    character: Character,
  ) {
    try {
      const { name, voice = '' } = character;
      await store.bindSession(sessionId, { details: digestOf(details), name, voice });
    } catch (thrown) {
      // Nobody was told of the conversation, and without its character it is of no use.
      await chat.remove(owner, sessionId);
      throw thrown;
    }
  }

  /** Errors: `not_found`, `conflict` where the conversation has no character, or another one. */
  async function boundCharacter({ owner, request }: Interaction): Promise<Character> {
    const sessionId = request.session_id ?? '';
    const bound = isChatId('chat', sessionId) ? await store.boundTo(owner, sessionId) : undefined;
    if (bound === undefined) {
      throw new GatewayError('not_found', 'There is no such conversation.');
    }
    const { character_details: details } = request;
    if (bound === null || (details && digestOf(details) !== bound.details)) {
      throw new GatewayError(
        'conflict',
        'This conversation is not one with this character. Begin a new one with `remember`.',
      );
    }
    return { id: null, name: bound.name, voice: bound.voice || undefined };
  }

  return async function interact(interaction: Interaction): Promise<Interacted> {
    const { owner, request, requestBaseUrl, signal } = interaction;
    const { mode, character_details: details } = request;
    const hearing = hearsSpeech(mode);
    const audio = hearing ? decodeAudio(request.audio_data ?? '') : undefined;
    speech.require({ hearing, speaking: speaksAnswer(mode) });

    if (request.session_id) {
      const character = await boundCharacter(interaction);
      return await talk(interaction, await hear(interaction, audio), character, undefined);
    }
    // The schema lets none pass that has neither.
    if (!details) throw new Error('no character');
    const { id, persona } = await book.resolve(owner, details);
    const character = { id, name: persona.name, voice: persona.voiceName || undefined };
    const heard = await hear(interaction, audio);
    const choice = wishOf(optionsOf(request));
    // Others may wait for the same context: who leaves ends the wait alone.
    const context = await unlessLeft(contexts.of(owner, persona, choice), signal);
    if (request.remember) return await talk(interaction, heard, character, { context, details });

    const messages = writePersonaMessages(context, request.history ?? [], heard.text);
    const wish = { ...choice, subject: owner, messages };
    if (request.stream) {
      const data = { ...contextFields(context), transcript: heard.transcript ?? null, mode };
      const preface = [{ type: 'note' as const, name: 'character', data }];
      return { type: 'opened', opened: await answers.open({ ...wish, preface }, requestBaseUrl) };
    }
    const answer = await answers.ask(wish, signal);
    return await finish(interaction, character, heard, {
      response: answer.text,
      ...answerFields(answer),
      ...contextFields(context),
      warnings: context.warnings,
    });
  };
}

function contextFields({ source, isKept, usage }: SharedContext) {
  return {
    context_source: source,
    context_cached: isKept,
    context_usage: usage && {
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      source: usage.source,
    },
  };
}

/** The options of the answer; one that is spoken is short unless its caller says otherwise. */
function optionsOf(request: InteractRequest) {
  const { mode, max_tokens: maxTokens = speaksAnswer(mode) ? SPOKEN_MAX_TOKENS : undefined } =
    request;
  const { model, policy, fallback_models, temperature, stream, cache } = request;
  return {
    ...(model === undefined ? {} : { model }),
    ...(policy === undefined ? {} : { policy }),
    ...(fallback_models === undefined ? {} : { fallback_models }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(stream === undefined ? {} : { stream }),
    ...(cache === undefined ? {} : { cache }),
  };
}

/** The same details in whatever order they came. */
function digestOf(details: CharacterDetails): string {
  return createHash('sha256').update(canonicalJson(details)).digest('hex');
}
