/** The Worker's bindings and settings. */

import { parseSettings, type Settings } from '@headwater/shared/protocol/settings';
import type { SessionObject } from './objects/session-object.ts';
import type { SubjectObject } from './objects/subject-object.ts';

/** Bindings of wrangler.jsonc; settings come beside them, as vars and secrets. */
export interface Env {
  readonly SESSIONS: DurableObjectNamespace<SessionObject>;
  readonly SUBJECTS: DurableObjectNamespace<SubjectObject>;
  readonly [setting: string]: unknown;
}

const parsed = new WeakMap<Env, Settings>();

/** The settings of an isolate, parsed once. Errors: `SettingsError` that names every fault. */
export function settingsOf(env: Env): Settings {
  let settings = parsed.get(env);
  if (settings === undefined) {
    settings = parseSettings(env);
    parsed.set(env, settings);
  }
  return settings;
}
