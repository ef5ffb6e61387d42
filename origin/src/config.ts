/** The origin's settings, from the environment. */

import {
  type ListenSettings,
  type OriginSettings,
  parseListenSettings,
  parseOriginSettings,
  parseSettings,
  type SettingFault,
  type Settings,
  SettingsError,
} from '@headwater/shared/protocol/settings';

/** Everything the origin is set to. */
export interface OriginConfig {
  readonly settings: Settings;
  readonly origin: OriginSettings;
  readonly listen: ListenSettings;
}

/** Parses the environment. Errors: `SettingsError` that names every fault, without a value. */
export function readConfig(env: Record<string, string | undefined>): OriginConfig {
  const faults: SettingFault[] = [];
  const settings = readOrNote(faults, () => parseSettings(env));
  const origin = readOrNote(faults, () => parseOriginSettings(env));
  const listen = readOrNote(faults, () => parseListenSettings(env));
  const role = origin?.tasks.role ?? 'all';
  if (role !== 'all' && origin?.redisUrl === undefined) {
    // In one process nobody else could see, or do, what this one keeps.
    const message = `is needed because ROLE is ${role}: the processes of a cluster share one Redis.`;
    faults.push({ name: 'REDIS_URL', message });
  }
  if (settings === undefined || origin === undefined || listen === undefined || faults.length > 0) {
    throw new SettingsError(faults);
  }
  return { settings, origin, listen };
}

function readOrNote<Part>(faults: SettingFault[], parse: () => Part): Part | undefined {
  try {
    return parse();
  } catch (thrown) {
    if (!(thrown instanceof SettingsError)) throw thrown;
    faults.push(...thrown.faults);
    return undefined;
  }
}
