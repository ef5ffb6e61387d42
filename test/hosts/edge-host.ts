/** The edge on real workerd, through wrangler, as `npm start` runs it. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type HostSettings, ROOT, type RunningHost, startHost } from './host.ts';

/** Where a host's port and kept state are, so that a second one can take over from a first. */
export interface EdgePlace {
  readonly port: number;
  readonly folder: string;
}

/** Makes a place with no state. */
export async function makeEdgePlace(): Promise<EdgePlace> {
  return { port: await freePort(), folder: await mkdtemp(join(tmpdir(), 'headwater-edge-')) };
}

/** Starts it with just these settings; without a place of the caller's, its state goes with it. */
export async function startEdgeHost(
  settings: HostSettings,
  place?: EdgePlace,
): Promise<RunningHost> {
  const { port, folder } = place ?? (await makeEdgePlace());
  const envFile = join(folder, 'edge.env');
  const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"`);
  await writeFile(envFile, `${lines.join('\n')}\n`, { mode: 0o600 });
  const wrangler = join(ROOT, 'edge/node_modules/wrangler/bin/wrangler.js');
  const host = await startHost(
    process.execPath,
    [
      wrangler,
      'dev',
      ...['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'],
      ...['--env-file', envFile, '--persist-to', join(folder, 'state')],
      '--show-interactive-dev-session=false',
    ],
    {
      port,
      cwd: join(ROOT, 'edge'),
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        WRANGLER_SEND_METRICS: 'false',
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        CI: 'true',
      },
    },
  );
  return {
    ...host,
    async close() {
      await host.close();
      if (place === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
