/** One origin of a cluster, which can also hang. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type HostSettings, ROOT, type RunningHost, startHost } from '../hosts/host.ts';

/** An origin that can be stopped and continued, as a machine without time for it would. */
export interface ClusterHost extends RunningHost {
  pause(): void;
  resume(): void;
}

/** Starts it with just these settings. */
export async function startClusterHost(settings: HostSettings): Promise<ClusterHost> {
  const folder = await mkdtemp(join(tmpdir(), 'headwater-cluster-'));
  const port = await freePort();
  const pidFile = join(folder, 'pid');
  const host = await startHost(
    '/bin/sh',
    ['-c', `echo $$ >'${pidFile}'; exec "$@"`, 'sh', process.execPath, 'origin/src/main.ts'],
    {
      port,
      cwd: ROOT,
      env: {
        PATH: process.env['PATH'],
        HOST: '127.0.0.1',
        PORT: String(port),
        DATA_DIR: join(folder, 'data'),
        ...settings,
      },
    },
  );
  const pid = Number(await readFile(pidFile, 'utf8'));
  const gone = (end: () => Promise<void>) => async () => {
    await end();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  return {
    ...host,
    close: gone(host.close),
    kill: gone(host.kill),
    pause: () => signal(pid, 'SIGSTOP'),
    resume: () => signal(pid, 'SIGCONT'),
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}
