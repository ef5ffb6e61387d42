/** `GET /health`: is it up, and what is real. */

import type { Settings } from '../protocol/settings.ts';
import type { CircuitState } from '../providers/circuit-breaker.ts';
import type { ProviderName } from '../providers/contract.ts';
import type { ProviderRegistry } from '../providers/registry.ts';

/** The release, as `/health` and `/openapi.json` show it. */
export const VERSION = '0.1.0';

/** One vendor in `/health`. */
export interface ProviderHealth {
  readonly live: boolean;
  /** The setting that makes it live. */
  readonly setting?: string;
  readonly simulated?: true;
  /**
   * Of a live vendor: `open` while it is left alone because it kept failing. It is the circuit of the
   * process that answers; an edge has many.
   */
  readonly circuit?: CircuitState['kind'];
}

/** Body of `GET /health`. */
export interface Health {
  readonly status: 'ok';
  readonly host: 'edge' | 'origin';
  readonly version: string;
  readonly devMode: boolean;
  readonly defaultModel: string;
  readonly providers: Readonly<Record<ProviderName, ProviderHealth>>;
  /** What does the tasks, by their type; an edge shows its origin's. */
  readonly engines?: Readonly<Record<string, EngineHealth>>;
  /** On an edge with `ORIGIN_URL`: whether an origin answers. */
  readonly origin?: 'up' | 'down';
}

/** One engine in `/health`. */
export type EngineHealth =
  | { readonly live: true }
  /** `missing` says what it takes, and names settings and commands only. */
  | { readonly live: false; readonly missing: string };

/** The health of an origin. */
export type OriginHealth = Health & Required<Pick<Health, 'engines'>>;

/** The health of an origin. It names settings, never their values. */
export function originHealthOf(
  settings: Settings,
  registry: ProviderRegistry,
  engines: Readonly<Record<string, EngineHealth>>,
): OriginHealth {
  const ollama = { ...stateOf(registry, 'ollama'), setting: 'OLLAMA_HOST' };
  return { ...healthOf('origin', settings, registry, ollama), engines };
}

/** The health of an edge, whose Ollama is the origin's; `origin` is what that one says. */
export function edgeHealthOf(
  settings: Settings,
  registry: ProviderRegistry,
  origin: Health | undefined,
): Health {
  const linked = settings.originUrls.length > 0;
  const health = healthOf('edge', settings, registry, {
    ...(origin?.providers.ollama ?? { live: false }),
    setting: linked ? 'OLLAMA_HOST' : 'ORIGIN_URL',
  });
  if (!linked) return health;
  const engines = origin?.engines === undefined ? {} : { engines: origin.engines };
  return { ...health, ...engines, origin: origin === undefined ? 'down' : 'up' };
}

function healthOf(
  host: Health['host'],
  settings: Settings,
  registry: ProviderRegistry,
  ollama: ProviderHealth,
): Health {
  return {
    status: 'ok',
    host,
    version: VERSION,
    devMode: settings.devMode,
    defaultModel: registry.defaultModel,
    providers: {
      openai: { ...stateOf(registry, 'openai'), setting: 'OPENAI_API_KEY' },
      azure: {
        ...stateOf(registry, 'azure'),
        setting: 'AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT',
      },
      anthropic: { ...stateOf(registry, 'anthropic'), setting: 'ANTHROPIC_API_KEY' },
      ollama,
      echo: { live: true, simulated: true },
    },
  };
}

function stateOf(registry: ProviderRegistry, name: ProviderName): ProviderHealth {
  const { isLive, circuit } = registry.live()[name];
  return circuit === undefined ? { live: isLive } : { live: isLive, circuit };
}
