/** Tasks at the edge: it authenticates, limits, and hands on to an origin. */

import { decodeSubject, SUBJECT_HEADER } from '@headwater/shared/gateway/forwarded-subject';
import { rateLimited } from '@headwater/shared/gateway/rate-limited';
import type { Caller } from '@headwater/shared/security/caller-token';
import { type Context, Hono } from 'hono';
import { forwardToOrigin } from '../adapters/forward-to-origin.ts';
import type { EdgeContext } from '../middleware/request-context.ts';

async function callerOf(c: Context<EdgeContext>): Promise<Caller> {
  const apiKey = c.req.header('x-api-key') ?? null;
  const authorization = c.req.header('authorization') ?? null;
  const caller = await c.get('gateway').authorise({ apiKey, authorization });
  // Who shows the INTERNAL_API_KEY may be another gateway, which has authenticated somebody.
  const named = apiKey === null ? undefined : c.req.header(SUBJECT_HEADER);
  const subject = named === undefined ? undefined : decodeSubject(named);
  return subject === undefined ? caller : { ...caller, subject };
}

async function handOn(c: Context<EdgeContext>, caller: Caller): Promise<Response> {
  const { settings, origins } = c.get('gateway');
  return forwardToOrigin({
    request: c.req.raw,
    subject: caller.subject,
    requestId: c.get('requestId'),
    apiKey: settings.internalApiKey,
    pool: origins,
    origins: settings.originUrls.length,
  });
}

async function submit(c: Context<EdgeContext>): Promise<Response> {
  const caller = await callerOf(c);
  const taken = await c.env.SUBJECTS.getByName(caller.subject).takeTaskRate();
  if (!taken.allowed) throw rateLimited(taken.retryAfterSeconds, 'tasks');
  return handOn(c, caller);
}

async function pass(c: Context<EdgeContext>): Promise<Response> {
  return handOn(c, await callerOf(c));
}

export const tasksRoute = new Hono<EdgeContext>()
  .post('/api/v1/tasks/:type', submit)
  .get('/api/v1/tasks/:id', pass)
  .delete('/api/v1/tasks/:id', pass)
  .get('/api/v1/tasks/:id/events', pass)
  .get('/api/v1/queue/status', pass)
  .get('/api/v1/voices', pass)
  .get('/api/v1/health/detailed', pass);
