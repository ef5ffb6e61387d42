/** `POST /ai/rag`: a question to the caller's documents. */

import type { Authoriser } from '@headwater/shared/gateway/authorise';
import { requireJson } from '@headwater/shared/gateway/require-json';
import { ragSchema } from '@headwater/shared/protocol/ai-rag';
import { parseJsonObject } from '@headwater/shared/protocol/init-stream';
import type { Settings } from '@headwater/shared/protocol/settings';
import { readRequest } from '@headwater/shared/protocol/tasks';
import type { FastifyInstance } from 'fastify';
import { answerFields } from '../answers/answer-fields.ts';
import { streamAnswer } from '../answers/stream-answer.ts';
import type { RagService } from '../rag/rag-service.ts';
import { baseUrlOf } from './base-url.ts';
import { headerOf } from './header.ts';
import { callerOf, leavingOf } from './task-request.ts';

/** What the route is wired to. */
export interface RagRoutePorts {
  readonly authorise: Authoriser;
  readonly settings: Pick<Settings, 'publicUrl' | 'internalApiKey'>;
  readonly rag: RagService;
}

/** What is told of the model where none was asked. */
const NOBODY = {
  model: null,
  provider: null,
  usage: { input_tokens: 0, output_tokens: 0, source: 'tokenizer' },
  cost: null,
  finish_reason: null,
  cached: false,
};

/** Adds the route. */
export function addRagRoutes(
  app: FastifyInstance,
  { authorise, settings, rag }: RagRoutePorts,
): void {
  app.post('/ai/rag', async (request, reply) => {
    const startedMs = performance.now();
    const owner = await callerOf(authorise, request);
    requireJson(headerOf(request, 'content-type'));
    const body = parseJsonObject(typeof request.body === 'string' ? request.body : '');
    const asked = readRequest(ragSchema, body);
    reply.header('cache-control', 'no-store');
    if (asked.stream === true) {
      const base = await baseUrlOf(request, settings);
      return streamAnswer(request, reply, await rag.open(owner, asked, base));
    }
    const { by, ...answer } = await rag.answer(owner, asked, leavingOf(reply));
    request.log.info({ found: answer.found, sources: answer.sources.length }, 'documents asked');
    return {
      ...answer,
      ...(by === undefined ? NOBODY : answerFields(by)),
      processing_time: Math.round(performance.now() - startedMs) / 1000,
    };
  });
}
