/** The `curl` that users are shown, where this machine has it. */

import { spawnSync } from 'node:child_process';

/** Path or name of the program. */
export const CURL = process.env['HEADWATER_CURL'] ?? 'curl';

/** Why a test with curl must be left out, or `undefined`. In CI it is never left out: it fails. */
export function curlMissing(): string | undefined {
  if (process.env['CI'] || spawnSync(CURL, ['--version']).error === undefined) return undefined;
  return 'curl is not installed';
}
