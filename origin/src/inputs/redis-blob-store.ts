/** Files of tasks in the cluster's Redis, for a cluster without an S3 store. */

import { type FileHandle, open } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { redisFault } from '../adapters/redis-connection.ts';
import {
  blobNotFound,
  type FileBlobStore,
  isBlobName,
  newBlobName,
  putByAdopting,
} from './file-blob-store.ts';
import { diskFault, type Spool } from './spool.ts';

/** Bytes a key holds: small enough that no command holds Redis up for long. */
const CHUNK_BYTES = 1024 * 1024;

/** Life of the chunks of a file that is not complete yet, in ms: what a crash leaves goes by it. */
const PARTIAL_TTL_MS = 10 * 60 * 1000;

/**
 * Life of a file that nobody drops, in ms: a week, longer than tasks wait. It begins anew with each
 * attempt.
 */
const BLOB_TTL_MS = 7 * 24 * 60 * 60 * 1000;

const headKey = (blob: string): string => `hw:blob:${blob}`;
const chunkKey = (blob: string, index: number): string => `hw:blob:${blob}:${index}`;

/** What it needs. */
export interface RedisBlobStoreOptions {
  readonly redis: Redis;
  /** Where files wait on this machine. */
  readonly spool: Spool;
  /** Default a week. */
  readonly ttlMs?: number;
}

/**
 * Makes the store. A file is in chunks of 1 MiB, and is there once its head is, which is written
 * last. Errors: `unavailable` where Redis does not answer or is full.
 */
export function createRedisBlobStore({
  redis,
  spool,
  ttlMs = BLOB_TTL_MS,
}: RedisBlobStoreOptions): FileBlobStore {
  const keysOf = (blob: string, bytes: number): string[] =>
    Array.from({ length: chunksOf(bytes) }, (_, index) => chunkKey(blob, index));

  async function prolong(keys: readonly string[]): Promise<void> {
    const pipeline = redis.pipeline();
    for (const key of keys) pipeline.pexpire(key, ttlMs);
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  }

  async function keep(blob: string, path: string, bytes: number): Promise<void> {
    const handle = await open(path, 'r').catch((cause: unknown) => {
      throw diskFault(cause);
    });
    try {
      for (const [index, key] of keysOf(blob, bytes).entries()) {
        await redis.set(key, await readChunk(handle, index, bytes), 'PX', PARTIAL_TTL_MS);
      }
    } finally {
      await handle.close();
    }
    await prolong(keysOf(blob, bytes));
    await redis.set(headKey(blob), bytes, 'PX', ttlMs);
  }

  /** Chunk by chunk, so that a large file is never whole in memory. */
  async function* read(blob: string, bytes: number): AsyncGenerator<Uint8Array> {
    for (const key of keysOf(blob, bytes)) {
      const chunk = await redis.getBuffer(key);
      if (chunk === null) throw blobNotFound();
      yield chunk;
    }
  }

  async function sizeOf(blob: string): Promise<number | undefined> {
    const head = await redis.get(headKey(blob));
    return head === null ? undefined : Number(head);
  }

  async function forget(blob: string, bytes: number): Promise<void> {
    // The head first: what has one is complete.
    await redis.unlink(headKey(blob));
    const keys = keysOf(blob, bytes);
    if (keys.length > 0) await redis.unlink(keys);
  }

  const adopt: FileBlobStore['adopt'] = async ({ path, bytes }) => {
    const blob = newBlobName();
    try {
      await keep(blob, path, bytes);
      return { blob, bytes };
    } catch (cause) {
      // Where Redis is away the chunks go by their life.
      await forget(blob, bytes).catch(() => undefined);
      throw redisFault(cause);
    } finally {
      await spool.remove(path);
    }
  };

  return {
    adopt,
    put: putByAdopting(spool, adopt),
    async lend(blob) {
      try {
        const bytes = isBlobName(blob) ? await sizeOf(blob) : undefined;
        if (bytes === undefined) throw blobNotFound();
        await prolong([headKey(blob), ...keysOf(blob, bytes)]);
        const { path } = await spool.write(read(blob, bytes));
        return { path, release: () => spool.remove(path) };
      } catch (cause) {
        throw redisFault(cause);
      }
    },
    async drop(blobs) {
      try {
        for (const blob of blobs.filter(isBlobName)) {
          const bytes = await sizeOf(blob);
          if (bytes !== undefined) await forget(blob, bytes);
        }
      } catch (cause) {
        throw redisFault(cause);
      }
    },
  };
}

function chunksOf(bytes: number): number {
  return Math.ceil(bytes / CHUNK_BYTES);
}

async function readChunk(handle: FileHandle, index: number, bytes: number): Promise<Buffer> {
  const at = index * CHUNK_BYTES;
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes - at));
  let read = 0;
  while (read < chunk.length) {
    const { bytesRead } = await handle.read(chunk, read, chunk.length - read, at + read);
    if (bytesRead === 0) throw diskFault(new Error('the file is shorter than it was'));
    read += bytesRead;
  }
  return chunk;
}
