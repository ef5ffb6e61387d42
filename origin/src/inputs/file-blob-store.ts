/** What the blob stores of an origin share. */

import { randomBytes } from 'node:crypto';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { BlobStore } from '@headwater/shared/tasks/ports';
import { createByteBudget } from './byte-budget.ts';
import type { Spool, SpooledFile } from './spool.ts';

/** A blob store that takes files of this machine as they are. */
export interface FileBlobStore extends BlobStore {
  /**
   * Keeps a spooled file under a new name; the file is gone afterwards, whatever comes of it.
   * Errors: `unavailable`, and then nothing is kept.
   */
  adopt(file: Pick<SpooledFile, 'path' | 'bytes'>): Promise<{ blob: string; bytes: number }>;
}

/** Names that these stores give. */
const BLOB_NAME = /^blob_[0-9a-f]{32}$/;

/** A new name. */
export function newBlobName(): string {
  return `blob_${randomBytes(16).toString('hex')}`;
}

/** Whether these stores may have given the name; it is then safe within paths and keys. */
export function isBlobName(name: string): boolean {
  return BLOB_NAME.test(name);
}

/** The refusal of a blob that is not there. */
export function blobNotFound(): GatewayError {
  return new GatewayError('not_found', 'A file of the task is not there any more.');
}

/** `put` for a store that adopts: the bytes wait on this machine until they are all there. */
export function putByAdopting(spool: Spool, adopt: FileBlobStore['adopt']): BlobStore['put'] {
  return async (source, maxBytes) =>
    adopt(await spool.write(source, [createByteBudget(maxBytes, 'A file')]));
}
