/** Brings one file of a task in: from where it is, past the inspection, into the blob store. */

import { open } from 'node:fs/promises';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { InputLimits } from '@headwater/shared/protocol/task-settings';
import type { InputFile } from '@headwater/shared/tasks/task';
import { type ByteBudget, createByteBudget, tooLarge } from './byte-budget.ts';
import { decodeBase64 } from './decode-base64.ts';
import type { FileBlobStore } from './file-blob-store.ts';
import type { FileSource } from './file-source.ts';
import { readLongText } from './long-text.ts';
import { inspectMedia, type MediaFacts } from './media/inspect-media.ts';
import type { OpenedInput, OpenInput } from './opened-input.ts';
import type { RawFile } from './raw-task.ts';
import { diskFault, type Spool, type SpooledFile } from './spool.ts';
import type { Workspace } from './workspace.ts';

/** What it is wired to. */
export interface FilePorts {
  readonly spool: Spool;
  readonly blobs: FileBlobStore;
  readonly limits: InputLimits;
  readonly fetchInput: OpenInput;
  /** Absent where no store is set up. */
  readonly s3?: OpenInput;
}

/** What a file shares with others of its request. */
export interface FileContext {
  readonly workspace: Workspace;
  /** Bytes of all files of the request. */
  readonly shared: ByteBudget;
  readonly signal: AbortSignal;
}

/** A file that is kept. */
export interface KeptFile {
  readonly file: InputFile;
  /** Equal for equal requests: of the content, or of the reference. */
  readonly identity: string;
}

/**
 * Keeps the file. Errors name its field: `payload_too_large`, `unsupported_media_type`,
 * `validation_failed`; those of {@link OpenInput}; `unavailable` where the disk or the store fails.
 * Whatever it has written the workspace knows.
 */
export async function keepFile(
  { label, kind, source }: RawFile,
  ports: FilePorts,
  context: FileContext,
): Promise<KeptFile> {
  const spooled =
    source.type === 'spooled' ? source.file : await writeFile(label, source, ports, context);
  context.workspace.spooled(spooled.path);
  const facts = await inspect(label, kind, spooled, ports.limits);
  const { blob, bytes } = await ports.blobs.adopt(spooled);
  context.workspace.kept(blob);
  return {
    file: { field: label, blob, bytes, ...facts },
    identity: 'reference' in source ? source.reference : spooled.sha256,
  };
}

async function writeFile(
  label: string,
  source: Exclude<FileSource, { type: 'spooled' }>,
  ports: FilePorts,
  { shared, signal }: FileContext,
): Promise<SpooledFile> {
  const budgets = [createByteBudget(ports.limits.maxBytes, label), shared];
  if (source.type === 'text') {
    const { text } = source;
    const pieces = typeof text === 'string' ? [text] : readLongText(text);
    return ports.spool.write(decodeBase64(pieces, label), budgets);
  }
  const opened = await openReference(label, source, ports, signal);
  try {
    // What is said to be too large is not waited for.
    if ((opened.announcedBytes ?? 0) > ports.limits.maxBytes) {
      throw tooLarge(label, ports.limits.maxBytes);
    }
    return await ports.spool.write(opened.bytes, budgets);
  } finally {
    opened.cancel();
  }
}

async function openReference(
  label: string,
  source: Extract<FileSource, { reference: string }>,
  ports: FilePorts,
  signal: AbortSignal,
): Promise<OpenedInput> {
  if (signal.aborted)
    throw new GatewayError('upstream_timeout', `${label} took too long to fetch.`);
  const ask = source.type === 's3' ? ports.s3 : ports.fetchInput;
  if (ask === undefined) {
    throw new GatewayError(
      'unavailable',
      `${label} is in an S3 store, and none is set up here: S3_ACCESS_KEY_ID is missing.`,
    );
  }
  return ask(source.reference, label, signal);
}

async function inspect(
  label: string,
  kind: RawFile['kind'],
  { path, bytes: size }: SpooledFile,
  limits: InputLimits,
): Promise<MediaFacts> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw diskFault(cause);
  });
  try {
    return await inspectMedia(
      {
        size,
        async read(at, length) {
          const bytes = new Uint8Array(Math.max(0, Math.min(length, size - at)));
          const { bytesRead } = await handle.read(bytes, 0, bytes.length, at);
          return bytes.subarray(0, bytesRead);
        },
      },
      kind,
      limits,
    );
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw diskFault(thrown);
    throw new GatewayError(thrown.code, `${label} ${thrown.message}`, {
      cause: thrown.cause,
      details: { fields: [{ path: label, message: thrown.message }] },
    });
  } finally {
    await handle.close();
  }
}
