/** An app without routes, which takes bodies and tells errors as the origin's does. */

import type { Settings } from '@headwater/shared/protocol/settings';
import { type FastifyInstance, fastify } from 'fastify';
import { addRequestContext } from '../plugins/request-context.ts';

/** Makes it. */
export function createBareApp(settings: Settings): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  addRequestContext(app, settings);
  return app;
}
