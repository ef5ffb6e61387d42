/** `/ai/health` in the OpenAPI document. */

import type {
  AiHealthView,
  AiServicesView,
  GpuView,
  ProviderView,
  ServiceView,
} from './ai-health.ts';
import { ok, ref } from './openapi-parts.ts';
import { described, objectOf, text } from './openapi-types.ts';

const flag = { type: 'boolean' };
const numberOrNull = { type: ['number', 'null'] };
const mapOf = (schema: object) => ({ type: 'object', additionalProperties: schema });

const missing = described('What it takes.', text);

const service = {
  status: { type: 'string', enum: ['live', 'simulated', 'unavailable'] },
  missing,
} satisfies Record<keyof ServiceView, object>;

const provider = {
  live: flag,
  simulated: { const: true },
  missing,
  circuit: described('`open` while it is left alone because it kept failing.', text),
} satisfies Record<keyof ProviderView, object>;

const services = {
  services: described(
    'Text services, speech, and `tasks/<type>`.',
    mapOf(objectOf(service, ['missing'])),
  ),
  providers: mapOf(objectOf(provider, ['simulated', 'missing', 'circuit'])),
  database: objectOf({
    kind: { type: 'string', enum: ['embedded', 'postgres', 'none'] },
    state: { type: 'string', enum: ['closed', 'opening', 'open', 'away'] },
    vectors: described('Whether vectors can be kept; null until it is open.', {
      type: ['boolean', 'null'],
    }),
  }),
  storage: described('Where streams and tasks are kept.', {
    type: 'string',
    enum: ['disk', 'redis'],
  }),
} satisfies Record<keyof AiServicesView, object>;

const gpu = {
  name: text,
  driver_version: { type: ['string', 'null'] },
  memory_total_mib: numberOrNull,
  memory_used_mib: numberOrNull,
  utilization_percent: numberOrNull,
  temperature_celsius: numberOrNull,
} satisfies Record<keyof GpuView, object>;

const health = {
  status: described(
    '`simulated` where the built-in simulation alone answers; `degraded` where the database or every vendor is away.',
    { type: 'string', enum: ['ok', 'simulated', 'degraded'] },
  ),
  version: text,
  ...services,
  gpu: ref('AiGpu'),
} satisfies Record<keyof AiHealthView, object>;

/** Paths, for the document. */
export const AI_HEALTH_PATHS: Readonly<Record<string, object>> = {
  '/ai/health': {
    get: { summary: 'Which AI services are real', responses: ok('As it is', ref('AiHealth')) },
  },
  '/ai/health/services': {
    get: { summary: 'The same, service by service', responses: ok('As it is', ref('AiServices')) },
  },
  '/ai/health/gpu': {
    get: {
      summary: 'The graphics cards of this origin',
      responses: ok('At most 5 seconds old', ref('AiGpu')),
    },
  },
};

/** Schemas by name, for `components`. */
export const AI_HEALTH_SCHEMAS: Readonly<Record<string, object>> = {
  AiHealth: objectOf(health),
  AiServices: objectOf(services),
  AiGpu: {
    oneOf: [
      objectOf({ available: { const: true }, gpus: { type: 'array', items: objectOf(gpu) } }),
      objectOf({ available: { const: false }, reason: text }),
    ],
  },
};
