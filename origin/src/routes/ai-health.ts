/** `GET /ai/health`: which AI services are real, and what the others lack. Open, as `/health` is. */

import { VERSION } from '@headwater/shared/gateway/health';
import type {
  AiHealthView,
  AiServicesView,
  ProviderView,
  ServiceView,
} from '@headwater/shared/protocol/ai-health';
import type { ProviderState } from '@headwater/shared/providers/registry';
import type { FastifyInstance } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { createGpuLook } from '../gpu/look-at-gpus.ts';
import type { SpeechService } from '../speech/speech-service.ts';

/** What the routes need of the gateway. */
export type AiHealthGateway = Pick<OriginGateway, 'registry' | 'tasks' | 'database' | 'storage'> & {
  readonly characters: { readonly speech: Pick<SpeechService, 'missing'> };
};

/** Services that a model is behind, and those of them that keep something in the database. */
const TEXT_SERVICES = ['generate', 'script-generation', 'characters', 'chat', 'rag'] as const;
const KEEPING: readonly string[] = ['script-generation', 'chat', 'rag'];

const NO_MODEL =
  'The built-in simulation answers: set OPENAI_API_KEY, ANTHROPIC_API_KEY, OLLAMA_HOST, or AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT.';
const NO_DATABASE = 'It is kept in the database: set DATABASE_URL.';
const DATABASE_AWAY = 'The database does not answer.';

/** Adds the routes. */
export function addAiHealthRoutes(app: FastifyInstance, gateway: AiHealthGateway): void {
  const look = createGpuLook({ nowMs: Date.now });

  app.get('/ai/health', async (_request, reply): Promise<AiHealthView> => {
    reply.header('cache-control', 'no-store');
    const view = servicesOf(gateway);
    return { status: statusOf(view), version: VERSION, ...view, gpu: await look() };
  });

  app.get('/ai/health/services', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return servicesOf(gateway);
  });

  app.get('/ai/health/gpu', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return await look();
  });
}

/** What there is, by what the parts of the gateway say of themselves; none of them is asked anew. */
export function servicesOf(gateway: AiHealthGateway): AiServicesView {
  const { registry, tasks, database, storage, characters } = gateway;
  const providers = registry.live();
  const { kind, state, hasVectors } = database.look();
  const keeping = keepingFault(kind, state);
  const hasModel = Object.values(providers).some(
    ({ isLive, isSimulated }) => isLive && !isSimulated,
  );
  const text: ServiceView = hasModel
    ? { status: 'live' }
    : { status: 'simulated', missing: NO_MODEL };
  const textServices = TEXT_SERVICES.map((name) => [
    name,
    KEEPING.includes(name) && keeping !== undefined ? lacking(keeping) : text,
  ]);
  const engines = [...tasks.engines.all()].map(([type, engine]) => [
    `tasks/${type}`,
    engine.live ? LIVE : lacking(engine.missing),
  ]);
  const { hearing, speaking } = characters.speech.missing();
  return {
    services: {
      ...Object.fromEntries(textServices),
      'speech-to-text': hearing === undefined ? LIVE : lacking(hearing),
      'text-to-speech': speaking === undefined ? LIVE : lacking(speaking),
      ...Object.fromEntries(engines),
    },
    providers: {
      openai: viewProvider(providers.openai),
      azure: viewProvider(providers.azure),
      anthropic: viewProvider(providers.anthropic),
      ollama: viewProvider(providers.ollama),
      echo: viewProvider(providers.echo),
    },
    database: { kind, state, vectors: hasVectors ?? null },
    storage,
  };
}

const LIVE: ServiceView = { status: 'live' };

function lacking(missing: string): ServiceView {
  return { status: 'unavailable', missing };
}

function keepingFault(
  kind: AiServicesView['database']['kind'],
  state: AiServicesView['database']['state'],
): string | undefined {
  if (kind === 'none') return NO_DATABASE;
  return state === 'away' ? DATABASE_AWAY : undefined;
}

function viewProvider({ isLive, isSimulated, missing, circuit }: ProviderState): ProviderView {
  return {
    live: isLive,
    ...(isSimulated ? { simulated: true as const } : {}),
    ...(missing === undefined ? {} : { missing }),
    ...(circuit === undefined ? {} : { circuit }),
  };
}

function statusOf({ providers, database }: AiServicesView): AiHealthView['status'] {
  if (database.state === 'away') return 'degraded';
  const models = Object.values(providers).filter(({ live, simulated }) => live && !simulated);
  if (models.length === 0) return 'simulated';
  return models.every(({ circuit }) => circuit === 'open') ? 'degraded' : 'ok';
}
