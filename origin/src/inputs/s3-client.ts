/** An S3-compatible store: Amazon's, or one that speaks its protocol. */

import { S3Client } from '@aws-sdk/client-s3';
import type { S3Settings } from '@headwater/shared/protocol/task-settings';

/** Time for a connection, and of silence on one, in ms. */
const CONNECT_MS = 5_000;
const SILENCE_MS = 15_000;

/** Makes the client. A request is tried twice, no more: a store in trouble is not stormed. */
export function createS3Client({
  endpoint,
  region,
  accessKeyId,
  secretAccessKey,
}: S3Settings): S3Client {
  return new S3Client({
    region,
    credentials: { accessKeyId, secretAccessKey },
    // Stores beside Amazon's seldom have a DNS name for each bucket.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      requestTimeout: SILENCE_MS,
      throwOnRequestTimeout: true,
    },
    // Some of them refuse the checksums that newer SDKs add unasked.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Region and endpoint are settings; nothing is read from files of this machine.
    followRegionRedirects: false,
    // What goes wrong is thrown; the SDK would print it as well.
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
}

/** The name that the store, or the SDK, gives an error. */
export function s3ErrorName(thrown: unknown): string {
  const { name, Code: code } = thrown as { name?: unknown; Code?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : '';
}

/** HTTP status of an answer that was an error; undefined where none came. */
export function s3ErrorStatus(thrown: unknown): number | undefined {
  return (thrown as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

function silent(): void {}
