/** `GET /health`: is it up, and what is real. */

import type { Settings } from '../protocol/settings.ts';
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
}

/** Body of `GET /health`. */
export interface Health {
  readonly status: 'ok';
  readonly host: 'edge' | 'origin';
  readonly version: string;
  readonly devMode: boolean;
  readonly defaultModel: string;
  readonly providers: Readonly<Record<ProviderName, ProviderHealth>>;
}

/** The health of a host. It names settings, never their values. */
export function healthOf(
  host: Health['host'],
  settings: Settings,
  registry: ProviderRegistry,
): Health {
  const states = registry.live();
  return {
    status: 'ok',
    host,
    version: VERSION,
    devMode: settings.devMode,
    defaultModel: registry.defaultModel,
    providers: {
      openai: { live: states.openai.isLive, setting: 'OPENAI_API_KEY' },
      anthropic: { live: states.anthropic.isLive, setting: 'ANTHROPIC_API_KEY' },
      ollama: {
        live: states.ollama.isLive,
        setting: host === 'edge' ? 'ORIGIN_URL' : 'OLLAMA_HOST',
      },
      echo: { live: true, simulated: true },
    },
  };
}
