/** The origin alone, as `node origin/src/main.ts`. */

import { freePort, type HostSettings, ROOT, type RunningHost, startHost } from './host.ts';

/** Starts it with just these settings. */
export async function startOriginHost(settings: HostSettings, port?: number): Promise<RunningHost> {
  const chosen = port ?? (await freePort());
  return startHost(process.execPath, ['origin/src/main.ts'], {
    port: chosen,
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: String(chosen), ...settings },
  });
}
