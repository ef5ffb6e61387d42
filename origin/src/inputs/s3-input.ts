/** Inputs by `s3://bucket/key`. */

import type { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type ErrorCode, GatewayError } from '@headwater/shared/protocol/errors';
import type { OpenInput } from './opened-input.ts';
import { s3ErrorName, s3ErrorStatus } from './s3-client.ts';

/** Amazon's rules for names: buckets 3–63 characters, keys at most 1024 bytes. */
const REFERENCE = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/s;
const MAX_KEY_BYTES = 1024;

/** Time for all of it, in ms; that of inputs by URL. */
const TOTAL_MS = 60_000;

/** What the store's own errors mean to the caller; whatever else it says is its failure. */
const FAULTS: Readonly<Record<string, readonly [code: ErrorCode, words: string]>> = {
  // The request is wrong, not the address it went to: 404 would seem to deny the type of task.
  NoSuchKey: ['validation_failed', 'names an object that is not there.'],
  NotFound: ['validation_failed', 'names an object that is not there.'],
  NoSuchBucket: ['validation_failed', 'names a bucket that is not there.'],
  InvalidObjectState: ['validation_failed', 'names an object that is archived.'],
  AccessDenied: ['forbidden', 'names an object that the gateway may not read.'],
  InvalidAccessKeyId: ['unavailable', 'cannot be read: the store refuses S3_ACCESS_KEY_ID.'],
  SignatureDoesNotMatch: ['unavailable', 'cannot be read: the store refuses S3_SECRET_ACCESS_KEY.'],
};

/** Makes what opens them. Only `buckets` may be named; others are `forbidden`. */
export function createS3Input(
  client: S3Client,
  buckets: readonly string[],
  totalMs: number = TOTAL_MS,
): OpenInput {
  return async (reference, field, outer) => {
    const { bucket, key } = parseReference(reference, field);
    if (!buckets.includes(bucket)) {
      throw new GatewayError(
        'forbidden',
        `${field} names a bucket that is not allowed. S3_INPUT_BUCKETS lists those that are.`,
      );
    }
    const signal = AbortSignal.any([outer, AbortSignal.timeout(totalMs)]);
    try {
      const { Body: body, ContentLength: announcedBytes } = await client.send(
        new GetObjectCommand({ Bucket: bucket, Key: key }),
        { abortSignal: signal },
      );
      const object = body as Readable;
      return {
        announcedBytes,
        bytes: readObject(object, field, signal),
        cancel: () => void object.on('error', () => undefined).destroy(),
      };
    } catch (thrown) {
      throw s3Fault(thrown, field, signal);
    }
  };
}

function parseReference(reference: string, field: string): { bucket: string; key: string } {
  const [, bucket, key] = REFERENCE.exec(reference) ?? [];
  // A store behind a proxy may take dots for a way out of its bucket.
  const isPlain = key?.split('/').every((part) => part !== '.' && part !== '..');
  if (
    bucket === undefined ||
    key === undefined ||
    !isPlain ||
    Buffer.byteLength(key) > MAX_KEY_BYTES
  ) {
    const message = 'is no s3://bucket/key.';
    throw new GatewayError('validation_failed', `${field} ${message}`, {
      details: { fields: [{ path: field, message }] },
    });
  }
  return { bucket, key };
}

async function* readObject(
  body: Readable,
  field: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const stop = (): void => void body.destroy(new Error('too slow'));
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) stop();
    yield* body as AsyncIterable<Uint8Array>;
  } catch (thrown) {
    throw s3Fault(thrown, field, signal);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function s3Fault(cause: unknown, field: string, signal: AbortSignal): GatewayError {
  if (cause instanceof GatewayError) return cause;
  const name = s3ErrorName(cause);
  const fault = Object.hasOwn(FAULTS, name) ? FAULTS[name] : undefined;
  if (fault !== undefined) return new GatewayError(fault[0], `${field} ${fault[1]}`, { cause });
  if (signal.aborted || name === 'TimeoutError') {
    return new GatewayError('upstream_timeout', `${field} took too long to fetch.`, { cause });
  }
  const status = s3ErrorStatus(cause);
  return new GatewayError(
    status === 403 ? 'forbidden' : 'upstream_failed',
    status === undefined
      ? `${field} could not be fetched: the store cannot be reached, or broke off.`
      : `${field} could not be fetched: the store answered with status ${status}.`,
    { cause },
  );
}
