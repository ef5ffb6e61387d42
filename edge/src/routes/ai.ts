/** Text services at the edge: an origin has them, and what they remember. */

import { type Context, Hono } from 'hono';
import type { EdgeContext } from '../middleware/request-context.ts';
import { ask, pass, passOpen, submit } from './hand-on.ts';

/** A page's EventSource shows no more than the token in its URL. */
function follow(c: Context<EdgeContext>): Promise<Response> {
  return c.req.query('access_token') === undefined ? pass(c) : passOpen(c);
}

export const aiRoute = new Hono<EdgeContext>()
  .post('/ai/generate', ask)
  .post('/ai/chat', ask)
  .get('/ai/chat', pass)
  .get('/ai/chat/:id', pass)
  .delete('/ai/chat/:id', pass)
  .post('/ai/rag', ask)
  .post('/ai/rag/documents', (c) => submit(c))
  .get('/ai/rag/documents', pass)
  .get('/ai/rag/documents/:id', pass)
  .delete('/ai/rag/documents/:id', pass)
  .get('/ai/stream/:id', passOpen)
  .get('/ai/stream/:id/state', passOpen)
  .delete('/ai/stream/:id', passOpen)
  .get('/ai/health', passOpen)
  .get('/ai/health/:part', passOpen)

  .post('/api/v1/generate', (c) => submit(c))
  .get('/api/v1/generate', pass)
  .get('/api/v1/generate/:id', pass)
  .delete('/api/v1/generate/:id', pass)
  .get('/api/v1/generate/:id/events', follow)
  .post('/api/v1/templates', (c) => submit(c))
  .get('/api/v1/templates', pass)
  .get('/api/v1/templates/:id', pass)
  .put('/api/v1/templates/:id', (c) => submit(c))
  .delete('/api/v1/templates/:id', pass)
  .get('/api/v1/health', passOpen)

  .post('/generate-context', ask)
  .post('/generate-response', ask)
  .post('/interact', ask)
  .post('/speech-to-text', ask)
  .post('/text-to-speech', ask)
  .post('/characters', (c) => submit(c))
  .get('/characters', pass)
  .get('/characters/:id', pass)
  .put('/characters/:id', (c) => submit(c))
  .delete('/characters/:id', pass);
