/** The edge: a Worker that answers, and the objects that remember. */

import { edgeHealthOf, VERSION } from '@headwater/shared/gateway/health';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { openApiDocument } from '@headwater/shared/protocol/openapi';
import { Hono } from 'hono';
import { originHealth } from './adapters/origin-health.ts';
import { answerError, type EdgeContext, requestContext } from './middleware/request-context.ts';
import { aiRoute } from './routes/ai.ts';
import { initStreamRoute } from './routes/init-stream.ts';
import { openaiRoute } from './routes/openai.ts';
import { streamRoute } from './routes/stream.ts';
import { tasksRoute } from './routes/tasks.ts';

const app = new Hono<EdgeContext>();

app.use(requestContext);
app.get('/health', async (c) => {
  const { settings, registry } = c.get('gateway');
  return c.json(edgeHealthOf(settings, registry, await originHealth(settings.originUrls)));
});
app.get('/openapi.json', (c) => c.json(openApiDocument(VERSION, 'edge')));
app.route('/', initStreamRoute);
app.route('/', streamRoute);
app.route('/', openaiRoute);
app.route('/', tasksRoute);
app.route('/', aiRoute);
app.post('/dev/callback', (c) => {
  if (!c.get('gateway').settings.devMode) throw noRoute();
  return c.json({ received: true });
});
app.notFound((c) => answerError(noRoute(), c));
app.onError(answerError);

function noRoute(): GatewayError {
  return new GatewayError('not_found', 'There is nothing at this path.');
}

export default app;
export { SessionObject } from './objects/session-object.ts';
export { SubjectObject } from './objects/subject-object.ts';
