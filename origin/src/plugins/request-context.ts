/** Around every request: an id, CORS, one log line, and errors in the contract's shape. */

import { bodyTooLarge } from '@headwater/shared/gateway/read-body';
import { requestIdOf } from '@headwater/shared/gateway/request-id';
import { corsHeaders, preflightHeaders } from '@headwater/shared/protocol/cors';
import {
  errorBody,
  errorHeaders,
  GatewayError,
  toGatewayError,
} from '@headwater/shared/protocol/errors';
import { pathOnly } from '@headwater/shared/protocol/redact';
import type { Settings } from '@headwater/shared/protocol/settings';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { addAwaitedAnswers } from './awaited-answers.ts';

/** Fastify's own refusals, by its code; the rest of them are faults of the request's form. */
function fromFastify(thrown: unknown): GatewayError {
  const { code, statusCode } = thrown as { code?: string; statusCode?: number };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return bodyTooLarge();
  if (!(thrown instanceof GatewayError) && statusCode !== undefined && statusCode < 500) {
    return new GatewayError('validation_failed', 'The request could not be read.', {
      cause: thrown,
    });
  }
  return toGatewayError(thrown);
}

/** Answers an error, and logs what is not the caller's doing. */
function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = fromFastify(thrown);
  if (error.code === 'payload_too_large') {
    // Fastify would close the line into the upload, and the reset would overtake the answer. Node
    // reads the rest away once the answer is out, for at most its request timeout.
    reply.removeHeader('connection');
  }
  if (error.code === 'processing_failed') request.log.error({ err: thrown }, 'request failed');
  return reply.code(error.status).headers(errorHeaders(error)).send(errorBody(error, request.id));
}

/** Makes request ids; Fastify calls it before any hook. */
export function genReqId(request: {
  headers: Record<string, string | string[] | undefined>;
}): string {
  const header = request.headers['x-request-id'];
  return requestIdOf(typeof header === 'string' ? header : undefined);
}

/** As nginx notes a request whose caller left before an answer began; no caller ever sees it. */
const CALLER_LEFT = 499;

/** The request's one line, also where the connection broke first. */
function logRequest(request: FastifyRequest, { raw, sent, elapsedTime }: FastifyReply): void {
  // A socket's reader writes its own as it comes.
  if (sent && !raw.headersSent) return;
  request.log.info(
    {
      method: request.method,
      path: pathOnly(request.url),
      status: raw.headersSent ? raw.statusCode : CALLER_LEFT,
      durationMs: Math.round(elapsedTime),
      ...(raw.writableFinished ? {} : { cut: true }),
    },
    'request',
  );
}

/** Adds the hooks to the whole app. */
export function addRequestContext(
  app: FastifyInstance,
  policy: Pick<Settings, 'allowedOrigins' | 'devMode'>,
): void {
  addAwaitedAnswers(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.raw.once('close', () => logRequest(request, reply));
    const { origin } = request.headers;
    reply.headers(corsHeaders(origin, policy) ?? {});
    if (request.method !== 'OPTIONS') return undefined;
    const preflight = preflightHeaders(origin, policy);
    return preflight === undefined ? undefined : reply.code(204).headers(preflight).send();
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) =>
    answerError(new GatewayError('not_found', 'There is nothing at this path.'), request, reply),
  );
}
