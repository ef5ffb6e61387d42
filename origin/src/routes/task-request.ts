/** Parts of a request for tasks, as the service takes them. */

import type { Authoriser } from '@headwater/shared/gateway/authorise';
import { SUBJECT_HEADER } from '@headwater/shared/gateway/forwarded-subject';
import { type CorsPolicy, corsHeaders } from '@headwater/shared/protocol/cors';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { InboundBody } from '../inputs/draft.ts';
import { ownerOf } from '../tasks/task-caller.ts';
import { headerOf } from './header.ts';

/** Path of a task or a batch. */
export type TaskParams = { Params: { id: string } };

/** The caller. Errors: `unauthorized`, `validation_failed`. */
export function callerOf(authorise: Authoriser, request: FastifyRequest): Promise<string> {
  return ownerOf(authorise, {
    authorization: headerOf(request, 'authorization'),
    apiKey: headerOf(request, 'x-api-key'),
    subject: headerOf(request, SUBJECT_HEADER),
  });
}

/**
 * In DEV_MODE a form needs no credentials, and the page of any site may send one without a preflight:
 * it counts from the gateway's own pages and those that may call. Errors: `forbidden`.
 */
export function requireOwnPage(request: FastifyRequest, policy: CorsPolicy): void {
  const origin = headerOf(request, 'origin');
  if (origin === null || corsHeaders(origin, policy) !== undefined) return;
  // A page that shows credentials was asked in a preflight whether it may.
  if (headerOf(request, 'authorization') !== null || headerOf(request, 'x-api-key') !== null)
    return;
  if (URL.canParse(origin) && new URL(origin).host === request.host) return;
  throw new GatewayError('forbidden', 'This page may not send tasks: add it to ALLOWED_ORIGINS.');
}

/** The body, as it comes in. */
export function inboundOf(request: FastifyRequest): InboundBody {
  const { headers } = request.raw;
  const length = headers['content-length'];
  return {
    contentType: headers['content-type'],
    contentLength: length === undefined ? undefined : Number(length),
    body: request.raw,
  };
}

/**
 * Aborts when nobody will hear the answer: the caller has left, or the process goes down. The reason is
 * no failure of the gateway's.
 */
export function leavingOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const leave = () => controller.abort(new GatewayError('unavailable', 'The caller has left.'));
  if (reply.raw.destroyed) leave();
  else reply.raw.on('close', leave);
  return AbortSignal.any([controller.signal, reply.server.awaited.over]);
}
