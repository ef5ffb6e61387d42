/** Tasks at the edge: an origin has them. */

import { Hono } from 'hono';
import type { EdgeContext } from '../middleware/request-context.ts';
import { pass, submit } from './hand-on.ts';

export const tasksRoute = new Hono<EdgeContext>()
  .post('/api/v1/tasks/:type', (c) => submit(c))
  .get('/api/v1/tasks/:id', pass)
  .delete('/api/v1/tasks/:id', pass)
  .get('/api/v1/tasks/:id/events', pass)
  .get('/api/v1/queue/status', pass)
  .get('/api/v1/voices', pass)
  .get('/api/v1/health/detailed', pass);
