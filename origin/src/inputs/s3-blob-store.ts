/** Files of tasks in a bucket, for a cluster with an S3-compatible store. */

import { createReadStream } from 'node:fs';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { GatewayError } from '@headwater/shared/protocol/errors';
import {
  blobNotFound,
  type FileBlobStore,
  isBlobName,
  newBlobName,
  putByAdopting,
} from './file-blob-store.ts';
import { s3ErrorName } from './s3-client.ts';
import type { Spool } from './spool.ts';

/** What every key begins with; a rule of the bucket can end what a crash left under it. */
const PREFIX = 'headwater/';

/** Keys a request may delete: S3 API, DeleteObjects. */
const DELETE_AT_ONCE = 1000;

/** Tries of an upload; the SDK cannot repeat a body that it has read. */
const UPLOAD_TRIES = 2;

/** What it needs. */
export interface S3BlobStoreOptions {
  readonly client: S3Client;
  readonly bucket: string;
  /** Where files wait on this machine. */
  readonly spool: Spool;
}

/**
 * Makes the store. A file is one object, sent with one request, which S3 takes up to 5 GB, far
 * beyond `MAX_INPUT_BYTES`. Errors: `unavailable` where the store does not answer or refuses.
 */
export function createS3BlobStore({ client, bucket, spool }: S3BlobStoreOptions): FileBlobStore {
  const objectOf = (blob: string) => ({ Bucket: bucket, Key: PREFIX + blob });

  async function upload(blob: string, path: string, bytes: number): Promise<void> {
    for (let left = UPLOAD_TRIES - 1; ; left -= 1) {
      const body = createReadStream(path);
      try {
        await client.send(
          new PutObjectCommand({ ...objectOf(blob), Body: body, ContentLength: bytes }),
        );
        return;
      } catch (thrown) {
        if (left === 0) throw thrown;
      } finally {
        body.destroy();
      }
    }
  }

  async function remove(blobs: readonly string[]): Promise<void> {
    for (let at = 0; at < blobs.length; at += DELETE_AT_ONCE) {
      const { Errors: errors = [] } = await client.send(
        new DeleteObjectsCommand({
          Bucket: bucket,
          Delete: {
            Objects: blobs.slice(at, at + DELETE_AT_ONCE).map((blob) => ({ Key: PREFIX + blob })),
            Quiet: true,
          },
        }),
      );
      const [first] = errors;
      if (first !== undefined) throw new Error(`${errors.length} not deleted: ${first.Code}`);
    }
  }

  const adopt: FileBlobStore['adopt'] = async ({ path, bytes }) => {
    const blob = newBlobName();
    try {
      await upload(blob, path, bytes);
      return { blob, bytes };
    } catch (cause) {
      // It may be there though the answer was lost. What is left then goes by the bucket's rule.
      await remove([blob]).catch(() => undefined);
      throw storeFault(cause);
    } finally {
      await spool.remove(path);
    }
  };

  return {
    adopt,
    put: putByAdopting(spool, adopt),
    async lend(blob) {
      if (!isBlobName(blob)) throw blobNotFound();
      try {
        const { Body: body } = await client.send(new GetObjectCommand(objectOf(blob)));
        if (body === undefined) throw blobNotFound();
        const { path } = await spool.write(body as AsyncIterable<Uint8Array>);
        return { path, release: () => spool.remove(path) };
      } catch (cause) {
        throw s3ErrorName(cause) === 'NoSuchKey' ? blobNotFound() : storeFault(cause);
      }
    },
    async drop(blobs) {
      try {
        await remove(blobs.filter(isBlobName));
      } catch (cause) {
        throw storeFault(cause);
      }
    },
  };
}

function storeFault(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause;
  return new GatewayError(
    'unavailable',
    'The store of files did not take the request. Try again.',
    {
      cause,
    },
  );
}
