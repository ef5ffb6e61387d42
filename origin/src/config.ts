/** The origin's settings, from the environment. */

import {
  type ListenSettings,
  type OriginSettings,
  parseListenSettings,
  parseOriginSettings,
  parseSettings,
  type Settings,
} from '@headwater/shared/protocol/settings';

/** Everything the origin is set to. */
export interface OriginConfig {
  readonly settings: Settings;
  readonly origin: OriginSettings;
  readonly listen: ListenSettings;
}

/** Parses the environment. Errors: `SettingsError` that names every fault, without a value. */
export function readConfig(env: Record<string, string | undefined>): OriginConfig {
  return {
    settings: parseSettings(env),
    origin: parseOriginSettings(env),
    listen: parseListenSettings(env),
  };
}
