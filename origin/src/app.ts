/** The origin as a Fastify app, ready to listen or to be injected into. */

import { VERSION } from '@headwater/shared/gateway/health';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { MAX_BODY_BYTES } from '@headwater/shared/protocol/init-stream';
import { openApiDocument } from '@headwater/shared/protocol/openapi';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { OriginGateway } from './gateway.ts';
import { addRequestContext, genReqId } from './plugins/request-context.ts';
import { addAiChatRoutes } from './routes/ai-chat.ts';
import { addDocumentRoutes } from './routes/ai-documents.ts';
import { addAiGenerateRoutes } from './routes/ai-generate.ts';
import { addAiHealthRoutes } from './routes/ai-health.ts';
import { addRagRoutes } from './routes/ai-rag.ts';
import { addBoard } from './routes/board.ts';
import { addCharacterRoutes } from './routes/characters.ts';
import { addGenerateRoutes } from './routes/generate.ts';
import { addHealth } from './routes/health.ts';
import { addInitStream } from './routes/init-stream.ts';
import { addMetrics } from './routes/metrics.ts';
import { addModelRelay } from './routes/model-relay.ts';
import { addOpenAI } from './routes/openai.ts';
import { addPage } from './routes/page.ts';
import { addQueueStatus } from './routes/queue-status.ts';
import { addSpeechRoutes } from './routes/speech.ts';
import { addStream } from './routes/stream.ts';
import { addStreamSocket, isSocketUpgrade } from './routes/stream-socket.ts';
import { addTaskEvents } from './routes/task-events.ts';
import { addTaskVoices } from './routes/task-voices.ts';
import { addTasks } from './routes/tasks.ts';
import { addTemplateRoutes } from './routes/templates.ts';

/** Builds the app. Bodies reach the routes as text: the shared code judges them. */
export async function buildApp(
  gateway: OriginGateway,
  logger: FastifyBaseLogger,
): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({
      // One line a request, of our own: Fastify's holds the URL with its token.
      disableRequestLogging: true,
      requestIdLogLabel: 'requestId',
    }),
    genReqId,
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    http: { shouldUpgradeCallback: isSocketUpgrade },
    routerOptions: { maxParamLength: 200 },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  addRequestContext(app, gateway.settings);

  addHealth(app, gateway);
  addMetrics(app, gateway);
  // Who runs tasks alone answers nobody but those who watch it.
  if (gateway.tasks.role === 'worker') return app;

  app.get('/openapi.json', async () => openApiDocument(VERSION, 'origin'));
  app.post('/dev/callback', async () => {
    if (gateway.settings.devMode) return { received: true };
    throw new GatewayError('not_found', 'There is nothing at this path.');
  });
  addInitStream(app, gateway);
  addStream(app, gateway);
  addOpenAI(app, gateway);
  addModelRelay(app, gateway);
  addAiGenerateRoutes(app, gateway);
  addAiChatRoutes(app, gateway);
  addRagRoutes(app, gateway);
  await addDocumentRoutes(app, { ...gateway, intake: gateway.documents });
  addGenerateRoutes(app, gateway);
  addTemplateRoutes(app, gateway);
  addCharacterRoutes(app, gateway);
  addSpeechRoutes(app, gateway);
  addAiHealthRoutes(app, gateway);
  await addTasks(app, gateway);
  addTaskEvents(app, gateway);
  addTaskVoices(app, gateway);
  addQueueStatus(app, gateway);
  await addBoard(app, gateway);
  await addPage(app);
  await addStreamSocket(app, gateway);
  return app;
}
