/** Files of tasks in a folder of this machine, for an origin alone. */

import { access, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  blobNotFound,
  type FileBlobStore,
  isBlobName,
  newBlobName,
  putByAdopting,
} from './file-blob-store.ts';
import { diskFault, openSpool, type Spool, sweepFolder } from './spool.ts';

/**
 * Age below which a file is never swept, in ms: it may belong to a task that is being accepted at
 * this moment.
 */
const YOUNG_MS = 10 * 60 * 1000;

/** A store that can be swept. */
export interface DiskBlobStore extends FileBlobStore {
  /** Where files wait before they are kept, on the same disk. */
  readonly spool: Spool;
  /**
   * Deletes what no task has, which is what a crash between keeping a file and accepting its task
   * leaves behind; files younger than ten minutes stay. Says how many went.
   */
  sweep(keep: (blob: string) => boolean): Promise<number>;
}

/**
 * Opens the store; the folder is made where it is missing. Each file is readable by this process's
 * user alone, and is there under its name only once it is complete. Errors: `unavailable`.
 */
export async function openDiskBlobStore(
  folder: string,
  nowMs: () => number = Date.now,
): Promise<DiskBlobStore> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw diskFault(cause);
  }
  const spool = await openSpool(join(folder, 'incoming'), nowMs());
  const pathOf = (blob: string) => join(folder, blob);

  const adopt: FileBlobStore['adopt'] = async ({ path, bytes }) => {
    const blob = newBlobName();
    try {
      await rename(path, pathOf(blob));
      await syncFolder(folder);
      return { blob, bytes };
    } catch (cause) {
      await Promise.all([spool.remove(path), rm(pathOf(blob), { force: true })]);
      throw diskFault(cause);
    }
  };

  return {
    spool,
    adopt,
    put: putByAdopting(spool, adopt),
    async lend(blob) {
      const isThere = isBlobName(blob) && (await exists(pathOf(blob)));
      if (!isThere) throw blobNotFound();
      return { path: pathOf(blob), release: () => undefined };
    },
    async drop(blobs) {
      await Promise.all(blobs.filter(isBlobName).map((blob) => rm(pathOf(blob), { force: true })));
    },
    sweep: (keep) =>
      sweepFolder(
        folder,
        (name, ageMs) => !isBlobName(name) || ageMs < YOUNG_MS || keep(name),
        nowMs(),
      ),
  };
}

/** A rename is on the disk once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ENOENT') return false;
    throw diskFault(cause);
  }
}
