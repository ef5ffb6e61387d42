/** What `GET /health` tells the page about the gateway behind it. */

import { type Fetch, fieldsOf, requestJson, textOf } from './wire.ts';

/** One provider as the gateway reports it. */
export interface ProviderState {
  readonly name: string;
  /** `live` answers for real, `simulated` is built in, `off` misses its setting. */
  readonly kind: 'live' | 'simulated' | 'off';
  /** The setting that would make it live; absent where none would. */
  readonly setting?: string;
}

/** The gateway's own account of itself. */
export interface Health {
  readonly host?: string;
  readonly version?: string;
  /** Without DEV_MODE every run needs an n8nToken. */
  readonly devMode: boolean;
  readonly defaultModel?: string;
  /** Whether the services that only an origin has can be asked here. */
  readonly hasOrigin: boolean;
  readonly providers: readonly ProviderState[];
}

function providerOf([name, value]: [string, unknown]): ProviderState {
  const { live, simulated, setting } = fieldsOf(value);
  const known = textOf(setting);
  const kind = simulated === true ? 'simulated' : live === true ? 'live' : 'off';
  return { name, kind, ...(known === undefined || kind === 'live' ? {} : { setting: known }) };
}

/** Reads a health answer; unknown shapes count as absent, and as the closed production default. */
export function parseHealth(body: unknown): Health {
  const { host, version, devMode, defaultModel, providers, origin } = fieldsOf(body);
  const known = {
    host: textOf(host),
    version: textOf(version),
    defaultModel: textOf(defaultModel),
  };
  const present = Object.entries(known).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(present),
    devMode: devMode === true,
    hasOrigin: host === 'origin' || origin === 'up',
    providers: Object.entries(fieldsOf(providers)).map(providerOf),
  };
}

/** `GET /health` below `baseUrl`; undefined when it does not answer. Never rejects. */
export async function readHealth(fetch: Fetch, baseUrl: string): Promise<Health | undefined> {
  const answer = await requestJson(fetch, new URL('health', baseUrl).href);
  return answer.ok ? parseHealth(answer.value) : undefined;
}
