/** The origin alone, as `node origin/src/main.ts`. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEmbeddedFolder } from '../../origin/src/testing/embedded-folder.ts';
import { freePort, type HostSettings, ROOT, type RunningProcess, startHost } from './host.ts';

/** Where an origin's port and kept state are, so that a second one can take over from a first. */
export interface OriginPlace {
  readonly port: number;
  readonly folder: string;
}

/** Makes a place with no state. */
export async function makeOriginPlace(): Promise<OriginPlace> {
  return { port: await freePort(), folder: await mkdtemp(join(tmpdir(), 'headwater-origin-')) };
}

/** Makes a place that has a database, without tables: to make one takes an origin seconds of CPU. */
export async function makeOriginPlaceWithDatabase(): Promise<OriginPlace> {
  const place = await makeOriginPlace();
  await makeEmbeddedFolder(join(place.folder, 'postgres'));
  return place;
}

/** Starts it with just these settings; without a place of the caller's, its state goes with it. */
export async function startOriginHost(
  settings: HostSettings,
  place?: OriginPlace,
): Promise<RunningProcess> {
  const { port, folder } = place ?? (await makeOriginPlace());
  const host = await startHost(process.execPath, ['origin/src/main.ts'], {
    port,
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: folder,
      ...settings,
    },
  });
  return {
    ...host,
    async close() {
      await host.close();
      if (place === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
