/** Reads documents in processes of their own: what strangers sent is never decoded in the server. */

import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Logger } from '@headwater/shared/stream/ports';
import PQueue from 'p-queue';
import type { FromChild } from '../engines/engine-messages.ts';
import { startEngineProcess } from '../engines/engine-process.ts';
import { diskFault } from '../inputs/spool.ts';
import {
  type DeclaredFile,
  type DocumentFormat,
  HEAD_BYTES,
  MEDIA_TYPES,
  tellFormat,
} from './document-format.ts';
import { readerEnvironment } from './reader-environment.ts';
import { checkRead, READER_ATTEMPT, type ReadDocument } from './reader-messages.ts';

const MIB = 1024 * 1024;
const READER_MAIN = fileURLToPath(new URL('./reader-main.ts', import.meta.url));

/** Pause between two looks at a reader's memory, in ms. */
const LOOK_MS = 50;

/** Longest wait for a killed process to be gone, in ms. */
const GONE_MS = 250;

/** Seconds after which there may be room for a document again. */
const RETRY_SECONDS = 5;

/** What may be different. */
export interface DocumentReaderOptions {
  readonly logger: Logger;
  /** Of the gateway; a reader gets next to nothing of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Documents that are read at a time. Default 2. */
  readonly maxReaders?: number;
  /** Documents that wait for their turn. Default 32. Beyond: `unavailable`. */
  readonly maxWaiting?: number;
  /** Longest time for one document, in ms. Default 60 s. */
  readonly timeoutMs?: number;
  /** Bound of V8's heap in a reader. Default 512 MiB. */
  readonly heapBytes?: number;
  /** Resident bytes at which a reader is ended. Default 1 GiB. */
  readonly residentBytes?: number;
  /** Default: that of this folder; another one in tests. */
  readonly entry?: string;
}

/** A file that is to be read. */
interface DocumentFile extends DeclaredFile {
  readonly path: string;
}

/** What a file was found to be. */
interface OpenedDocument extends ReadDocument {
  /** By its own bytes first, such as `application/pdf`. */
  readonly mediaType: string;
}

/** Reads documents. */
export interface DocumentReader {
  /**
   * Errors: `unsupported_media_type`; `validation_failed` for what is damaged, encrypted or empty;
   * `payload_too_large` for too much text or too many pages; `processing_failed` where reading takes
   * too long or too much memory, or kills the reader; `unavailable` where too many documents wait, or
   * the signal aborts.
   */
  read(file: DocumentFile, signal: AbortSignal): Promise<OpenedDocument>;
  /** Refuses a document that would have to wait too long, before anything of it is received. Errors: `unavailable`. */
  checkRoom(): void;
  /** Ends the readers. */
  close(): Promise<void>;
}

/** Makes the reader. No process is started before there is a document. */
export function createDocumentReader(options: DocumentReaderOptions): DocumentReader {
  const { maxReaders = 2, maxWaiting = 32 } = options;
  const queue = new PQueue({ concurrency: maxReaders });
  const closing = new AbortController();
  let count = 0;

  function checkRoom(): void {
    if (closing.signal.aborted) throw stopped();
    if (queue.size < maxWaiting) return;
    throw new GatewayError('unavailable', 'Too many documents wait to be read. Try again soon.', {
      details: { retryAfterSeconds: RETRY_SECONDS },
    });
  }

  return {
    checkRoom,
    async read(file, outer) {
      const format = tellFormat(await readHead(file.path), file);
      checkRoom();
      const signal = AbortSignal.any([outer, closing.signal]);
      return queue.add(async () => {
        if (signal.aborted) throw stopped();
        count += 1;
        const read = await readInChild(`reader-${count}`, file, format, signal, options);
        return { ...read, mediaType: MEDIA_TYPES[format] };
      });
    },
    async close() {
      closing.abort();
      await queue.onIdle();
    },
  };
}

/** Starts a process for the document, and ends it whatever comes of it. */
function readInChild(
  id: string,
  file: DocumentFile,
  format: DocumentFormat,
  signal: AbortSignal,
  options: DocumentReaderOptions,
): Promise<ReadDocument> {
  const { logger, timeoutMs = 60_000, heapBytes = 512 * MIB, residentBytes = 1024 * MIB } = options;
  const over = Promise.withResolvers<ReadDocument>();
  const gone = Promise.withResolvers<void>();

  const child = startEngineProcess({
    id,
    env: readerEnvironment(options.env),
    memoryLimitBytes: heapBytes,
    logger,
    entry: options.entry ?? READER_MAIN,
    said,
    ended(how, isHeapFull) {
      over.reject(isHeapFull ? tooMuchMemory() : unreadable(`the reader ended (${how})`));
      gone.resolve();
    },
  });
  const timer = setTimeout(() => over.reject(tooSlow(timeoutMs)), timeoutMs);
  const looks = setInterval(() => {
    if ((child.memory() ?? 0) > residentBytes) over.reject(tooMuchMemory());
  }, LOOK_MS);
  const leave = (): void => over.reject(stopped());
  signal.addEventListener('abort', leave, { once: true });

  function said(message: FromChild): void {
    if (message.type === 'ready') {
      const params = { format, mediaType: file.mediaType ?? '' };
      const lent = { field: 'file', blob: id, bytes: 0, mediaType: '', path: file.path };
      child.send({
        type: 'run',
        attempt: READER_ATTEMPT,
        engine: 'document',
        params,
        files: [lent],
      });
    } else if (message.type === 'dying') {
      logger.warn({ child: id, format, cause: message.cause }, 'document reader failed');
    } else if (message.type === 'failed') {
      const { code, message: text, cause } = message;
      logger.info({ child: id, format, code, cause }, 'document refused');
      over.reject(new GatewayError(code, text));
    } else if (message.type === 'done') {
      const read = checkRead(message.result);
      if (read === undefined) over.reject(unreadable('the reader made no sense'));
      else over.resolve(read);
    }
  }

  return over.promise
    .catch((thrown: unknown) => {
      const { code } = thrown as { code?: unknown };
      if (code === 'processing_failed')
        logger.warn({ child: id, format, err: thrown }, 'document not read');
      throw thrown;
    })
    .finally(async () => {
      clearTimeout(timer);
      clearInterval(looks);
      signal.removeEventListener('abort', leave);
      child.kill();
      await Promise.race([
        gone.promise,
        new Promise((resolve) => setTimeout(resolve, GONE_MS).unref()),
      ]);
    });
}

async function readHead(path: string): Promise<Uint8Array> {
  try {
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw diskFault(cause);
  }
}

function tooMuchMemory(): GatewayError {
  return new GatewayError('processing_failed', 'The document takes too much memory to be read.');
}

function tooSlow(timeoutMs: number): GatewayError {
  return new GatewayError(
    'processing_failed',
    `The document could not be read within ${timeoutMs / 1000} seconds.`,
  );
}

function unreadable(why: string): GatewayError {
  return new GatewayError('processing_failed', 'The document could not be read.', {
    cause: new Error(why),
  });
}

function stopped(): GatewayError {
  return new GatewayError('unavailable', 'Reading the document was stopped. Send it again.');
}
