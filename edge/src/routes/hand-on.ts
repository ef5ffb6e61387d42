/** Requests that an origin answers: the edge authenticates, limits, and hands on. */

import { decodeSubject, SUBJECT_HEADER } from '@headwater/shared/gateway/forwarded-subject';
import { rateLimited } from '@headwater/shared/gateway/rate-limited';
import type { Caller } from '@headwater/shared/security/caller-token';
import type { Context } from 'hono';
import { forwardToOrigin } from '../adapters/forward-to-origin.ts';
import type { EdgeContext } from '../middleware/request-context.ts';

/** A model may write for minutes before its whole answer has a head, in ms. */
const ANSWER_TIMEOUT_MS = 10 * 60_000;

async function callerOf(c: Context<EdgeContext>): Promise<Caller> {
  const apiKey = c.req.header('x-api-key') ?? null;
  const authorization = c.req.header('authorization') ?? null;
  const caller = await c.get('gateway').authorise({ apiKey, authorization });
  // Who shows the INTERNAL_API_KEY may be another gateway, which has authenticated somebody.
  const named = apiKey === null ? undefined : c.req.header(SUBJECT_HEADER);
  const subject = named === undefined ? undefined : decodeSubject(named);
  return subject === undefined ? caller : { ...caller, subject };
}

async function handOn(
  c: Context<EdgeContext>,
  more: { readonly subject?: string; readonly timeoutMs?: number },
): Promise<Response> {
  const { settings, origins } = c.get('gateway');
  return forwardToOrigin({
    ...more,
    request: c.req.raw,
    requestId: c.get('requestId'),
    apiKey: settings.internalApiKey,
    baseUrl: settings.publicUrl ?? new URL(c.req.url).origin,
    pool: origins,
    origins: settings.originUrls.length,
  });
}

/** For a known caller. */
export async function pass(c: Context<EdgeContext>): Promise<Response> {
  const { subject } = await callerOf(c);
  return handOn(c, { subject });
}

/** The same for what costs the origin work: counted against the caller's rate. */
export async function submit(c: Context<EdgeContext>, timeoutMs?: number): Promise<Response> {
  const { subject } = await callerOf(c);
  const taken = await c.env.SUBJECTS.getByName(subject).takeTaskRate();
  if (!taken.allowed) throw rateLimited(taken.retryAfterSeconds, 'requests');
  return handOn(c, { subject, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
}

/** The same for what a model answers. */
export function ask(c: Context<EdgeContext>): Promise<Response> {
  return submit(c, ANSWER_TIMEOUT_MS);
}

/** For whoever shows a token that opens one thing at the origin, which judges it. */
export function passOpen(c: Context<EdgeContext>): Promise<Response> {
  return handOn(c, {});
}
