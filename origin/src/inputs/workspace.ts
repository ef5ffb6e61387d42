/** Files of one request, of which nothing is left when it is refused. */

import type { Logger } from '@headwater/shared/stream/ports';
import type { FileBlobStore } from './file-blob-store.ts';
import type { Spool } from './spool.ts';

/** What a request has written. */
export interface Workspace {
  /** Remembers a spooled file. */
  spooled(path: string): void;
  /** Remembers a kept one. */
  kept(blob: string): void;
  /** Deletes the spooled files; those that were adopted are gone already. Never rejects. */
  clear(): Promise<void>;
  /** Drops the kept files. Never rejects. */
  drop(): Promise<void>;
}

/** Makes an empty one. */
export function createWorkspace(
  spool: Pick<Spool, 'remove'>,
  blobs: Pick<FileBlobStore, 'drop'>,
  logger: Logger,
): Workspace {
  const paths = new Set<string>();
  const names = new Set<string>();
  return {
    spooled: (path) => void paths.add(path),
    kept: (blob) => void names.add(blob),
    async clear() {
      for (const path of paths) {
        // A file that stays is swept at the next start.
        await spool.remove(path).catch((err: unknown) => logger.warn({ err }, 'a file stays'));
      }
      paths.clear();
    },
    async drop() {
      try {
        await blobs.drop([...names]);
      } catch (err) {
        // What a store keeps that no task has ends by its own rule.
        logger.warn({ err, blobs: names.size }, 'files were not dropped');
      }
    },
  };
}
