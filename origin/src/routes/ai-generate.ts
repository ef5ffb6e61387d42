/** `POST /ai/generate`: one prompt, one answer of a model, whole or as it comes. */

import { requireJson } from '@headwater/shared/gateway/require-json';
import { parseGenerate, promptMessages } from '@headwater/shared/protocol/ai-generate';
import { wishOf } from '@headwater/shared/protocol/answer-options';
import { parseJsonObject } from '@headwater/shared/protocol/init-stream';
import type { FastifyInstance } from 'fastify';
import { answerFields } from '../answers/answer-fields.ts';
import { streamAnswer } from '../answers/stream-answer.ts';
import type { OriginGateway } from '../gateway.ts';
import { baseUrlOf } from './base-url.ts';
import { headerOf } from './header.ts';
import { callerOf, leavingOf } from './task-request.ts';

/** What the route needs of the gateway. */
export type GenerateGateway = Pick<OriginGateway, 'authorise' | 'settings' | 'answers'>;

/** Adds the route. */
export function addAiGenerateRoutes(app: FastifyInstance, gateway: GenerateGateway): void {
  const { authorise, settings, answers } = gateway;

  app.post('/ai/generate', async (request, reply) => {
    const startMs = performance.now();
    const subject = await callerOf(authorise, request);
    requireJson(headerOf(request, 'content-type'));
    const body = parseJsonObject(typeof request.body === 'string' ? request.body : '');
    const asked = parseGenerate(body);
    const wish = { subject, messages: promptMessages(asked), ...wishOf(asked) };
    reply.header('cache-control', 'no-store');
    if (asked.stream === true) {
      return streamAnswer(
        request,
        reply,
        await answers.open(wish, await baseUrlOf(request, settings)),
      );
    }
    const answer = await answers.ask(wish, leavingOf(reply));
    return {
      text: answer.text,
      // As Ollama names it.
      response: answer.text,
      ...answerFields(answer),
      processing_time: Math.round(performance.now() - startMs) / 1000,
    };
  });
}
