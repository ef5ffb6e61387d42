/** A whole origin in this process, as `npm start` would run it, for `inject`. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { buildApp } from '../app.ts';
import { readConfig } from '../config.ts';
import { createGateway, type OriginGateway } from '../gateway.ts';
import { makeEmbeddedFolder } from './embedded-folder.ts';

/** The app, and what it is made of. */
export interface TestOrigin {
  readonly app: FastifyInstance;
  readonly gateway: OriginGateway;
  /** Its `DATA_DIR`. */
  readonly folder: string;
  /** Log lines, as text. */
  readonly logged: readonly string[];
  /** Ends it and deletes its folder. */
  close(): Promise<void>;
}

/** Starts one in DEV_MODE, in a folder of its own, with a database that is made already. */
export async function openTestOrigin(env: Record<string, string> = {}): Promise<TestOrigin> {
  const folder = await mkdtemp(join(tmpdir(), 'headwater-origin-'));
  await makeEmbeddedFolder(join(folder, 'postgres'));
  const logged: string[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void logged.push(line) });
  const given = {
    JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes',
    DEV_MODE: 'true',
    DATA_DIR: folder,
    MAX_WORKERS: '1',
    ...env,
  };
  const gateway = await createGateway(readConfig(given), { ...process.env, ...given }, logger);
  const app = await buildApp(gateway, logger);
  await gateway.start();
  await gateway.tasks.start();
  return {
    app,
    gateway,
    folder,
    logged,
    async close() {
      await Promise.all([gateway.sessions.close(0), gateway.tasks.stop(0)]);
      await app.close();
      await gateway.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
