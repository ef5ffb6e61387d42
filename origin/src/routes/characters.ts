/** Seed 004's character services: context, response, interaction; and the characters themselves. */

import { wishOf } from '@headwater/shared/protocol/answer-options';
import {
  type GenerateResponseRequest,
  generateContextSchema,
  generateResponseSchema,
  interactSchema,
  newCharacterSchema,
  rulesOf,
} from '@headwater/shared/protocol/characters';
import { writePersonaMessages } from '@headwater/shared/text/characters/persona-prompt';
import type { FastifyInstance } from 'fastify';
import { answerFields } from '../answers/answer-fields.ts';
import { streamAnswer } from '../answers/stream-answer.ts';
import type { Characters } from '../characters/create-characters.ts';
import { generateContext } from '../characters/generate-context.ts';
import type { OriginGateway } from '../gateway.ts';
import { baseUrlOf } from './base-url.ts';
import { readBody } from './character-request.ts';
import { callerOf, leavingOf, type TaskParams } from './task-request.ts';

/** What the routes need of the gateway. */
export type CharacterGateway = Pick<OriginGateway, 'authorise' | 'settings' | 'logger'> & {
  readonly characters: Characters;
};

/** Adds the routes. */
export function addCharacterRoutes(app: FastifyInstance, gateway: CharacterGateway): void {
  const { authorise, settings, logger } = gateway;
  const { book, interact, answers } = gateway.characters;

  app.post('/generate-context', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    const asked = readBody(request, generateContextSchema);
    const { id, persona } = await book.resolve(owner, asked.character_details);
    const asker = { owner, persona };
    const signal = leavingOf(reply);
    const written = await generateContext({ answers, logger }, asker, asked, signal);
    reply.header('cache-control', 'no-store');
    return {
      ...written,
      character: { id, name: persona.name || null },
      greeting: persona.greeting || null,
      language: persona.language || null,
      voice_name: persona.voiceName || null,
    };
  });

  app.post('/generate-response', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    const asked = readBody(request, generateResponseSchema);
    const messages = messagesOf(asked);
    const wish = { ...wishOf(asked), subject: owner, messages };
    if (asked.stream) {
      const opened = await answers.open(wish, await baseUrlOf(request, settings));
      return streamAnswer(request, reply, opened);
    }
    reply.header('cache-control', 'no-store');
    const answer = await answers.ask(wish, leavingOf(reply));
    return { response: answer.text, ...answerFields(answer) };
  });

  app.post('/interact', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    const asked = readBody(request, interactSchema);
    const requestBaseUrl = await baseUrlOf(request, settings);
    const signal = leavingOf(reply);
    const interacted = await interact({ owner, request: asked, requestBaseUrl, signal });
    if (interacted.type === 'opened') return streamAnswer(request, reply, interacted.opened);
    reply.header('cache-control', 'no-store');
    return interacted.body;
  });

  app.get('/characters', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    reply.header('cache-control', 'no-store');
    return await book.list(owner);
  });

  app.post('/characters', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    const character = await book.add(owner, readBody(request, newCharacterSchema));
    reply.header('location', `/characters/${character.id}`);
    return reply.code(201).send(character);
  });

  app.get<TaskParams>('/characters/:id', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    reply.header('cache-control', 'no-store');
    return await book.read(owner, request.params.id);
  });

  app.put<TaskParams>('/characters/:id', async (request) => {
    const owner = await callerOf(authorise, request);
    return await book.replace(owner, request.params.id, readBody(request, newCharacterSchema));
  });

  app.delete<TaskParams>('/characters/:id', async (request, reply) => {
    await book.remove(await callerOf(authorise, request), request.params.id);
    return reply.code(204).send();
  });
}

/** The conversation; rules of the context and rules beside it both count. */
function messagesOf(asked: GenerateResponseRequest) {
  const given = asked.persona_context;
  const { context, rules: own = null } = typeof given === 'string' ? { context: given } : given;
  const rules = [...new Set([...rulesOf(own), ...rulesOf(asked.rules)])];
  return writePersonaMessages({ context, rules }, asked.history ?? [], asked.user_query);
}
