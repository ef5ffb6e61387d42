/** The origin's settings, from the environment. */

import {
  type ListenSettings,
  parseListenSettings,
  parseSettings,
  type Settings,
} from '@headwater/shared/protocol/settings';

/** Everything the origin is set to. */
export interface OriginConfig {
  readonly settings: Settings;
  readonly listen: ListenSettings;
}

/** Parses the environment. Errors: `SettingsError` that names every fault, without a value. */
export function readConfig(env: Record<string, string | undefined>): OriginConfig {
  return { settings: parseSettings(env), listen: parseListenSettings(env) };
}
