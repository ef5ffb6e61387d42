/** PGlite as it is set up here. */

import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';

/** A page cache for one application's tables; PGlite's default of 128 MB would be touched at once. */
const CONFIG = ['shared_buffers = 32MB'];

/** Opens it on a folder, which is filled where it is empty. */
export function openPglite(dataDir: string): Promise<PGlite> {
  return PGlite.create(dataDir, { extensions: { vector }, postgresqlconf: CONFIG });
}
