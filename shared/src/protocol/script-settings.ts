/** What an origin does with scripts, as settings. */

import type * as z from 'zod';
import { httpUrl, wholeNumber } from './setting-types.ts';

const DAY_MS = 86_400_000;

/** Schema of the settings. */
export const SCRIPT_SETTINGS = {
  PROJECT_SERVICE_URL: httpUrl.optional(),
  GENERATION_RETENTION_DAYS: wholeNumber(1, 3650).optional(),
};

/** The settings, parsed. */
export interface ScriptSettings {
  /** Where projects and episodes are looked up, without a slash at the end. Default: nowhere. */
  readonly projectServiceUrl?: string;
  /** How long a script is kept once it is over, in ms. Default 365 days. */
  readonly retentionMs: number;
}

/** Fills in the defaults. */
export function readScriptSettings(
  read: Partial<z.output<z.ZodObject<typeof SCRIPT_SETTINGS>>>,
): ScriptSettings {
  const { PROJECT_SERVICE_URL: url, GENERATION_RETENTION_DAYS: days = 365 } = read;
  return {
    retentionMs: days * DAY_MS,
    ...(url === undefined ? {} : { projectServiceUrl: url }),
  };
}
