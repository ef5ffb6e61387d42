/** Folders with an embedded database that is made already: making one takes seconds of CPU. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedServer } from '../database/embedded-server.ts';

/** The same for all processes that would make the same. */
function templatePath(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const key = createHash('sha256').update(readFileSync(entry)).digest('hex').slice(0, 12);
  return join(tmpdir(), `headwater-pglite-${userInfo().uid}-${key}`);
}

/** Fills `folder`, which MUST NOT exist, with a database that has no tables yet. */
export async function makeEmbeddedFolder(folder: string): Promise<void> {
  const template = templatePath();
  if (!existsSync(template)) {
    const draft = await mkdtemp(`${template}-`);
    const server = await startEmbeddedServer(draft);
    await server.close();
    try {
      await rename(draft, template);
    } catch {
      // Another process has made it.
      await rm(draft, { recursive: true, force: true });
    }
  }
  await cp(template, folder, { recursive: true });
}
