/** Files on this machine that are on their way: received but not kept yet, or lent to an engine. */

import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { ByteBudget } from './byte-budget.ts';

/**
 * Age at which a file is taken for one that a crash left behind, in ms: longer than any transfer, as
 * these end within minutes, and than any attempt, which has a day at most.
 */
const ORPHAN_AGE_MS = 25 * 60 * 60 * 1000;

/** Bytes gathered before they are written; one write a network packet would cost more. */
const WRITE_BYTES = 256 * 1024;

/** Causes of a write that failed because there is no room. EFBIG: the process has a limit of its own. */
const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** A file that was written. */
export interface SpooledFile {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of its content, hex. */
  readonly sha256: string;
}

/** A folder of such files, each readable by this process's user alone. */
export interface Spool {
  /**
   * Writes what the source gives. Errors: what the source or a budget throws; `unavailable` where
   * the disk is full or fails. After any of them nothing is left.
   */
  write(source: AsyncIterable<Uint8Array>, budgets?: readonly ByteBudget[]): Promise<SpooledFile>;
  /** Forgets a file; an unknown one changes nothing. */
  remove(path: string): Promise<void>;
}

/**
 * Opens the folder, makes it where it is missing, and deletes what crashes left in it: files older
 * than a day, as another process may work in the same folder. Errors: `unavailable`.
 */
export async function openSpool(folder: string, nowMs: number = Date.now()): Promise<Spool> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await sweepFolder(folder, (_name, ageMs) => ageMs <= ORPHAN_AGE_MS, nowMs);
  } catch (cause) {
    throw diskFault(cause);
  }
  return {
    async write(source, budgets = []) {
      const path = join(folder, randomUUID());
      try {
        return await writeFile(path, source, budgets);
      } catch (thrown) {
        await rm(path, { force: true });
        throw thrown;
      }
    },
    remove: (path) => rm(path, { force: true }),
  };
}

/** Deletes the files of a folder that are not to be kept, and says how many. */
export async function sweepFolder(
  folder: string,
  keep: (name: string, ageMs: number) => boolean,
  nowMs: number,
): Promise<number> {
  let swept = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(folder, entry.name);
    const age = await stat(path).then(
      ({ mtimeMs }) => nowMs - mtimeMs,
      // Somebody else was faster: it is gone.
      () => undefined,
    );
    if (age === undefined || keep(entry.name, age)) continue;
    await rm(path, { force: true });
    swept += 1;
  }
  return swept;
}

/** What a disk that refuses means to a caller. */
export function diskFault(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause;
  const { code } = cause as { code?: unknown };
  return new GatewayError(
    'unavailable',
    NO_ROOM.has(code)
      ? 'There is no room for the file now. Try again later.'
      : 'The file cannot be kept now. Try again later.',
    { cause },
  );
}

async function writeFile(
  path: string,
  source: AsyncIterable<Uint8Array>,
  budgets: readonly ByteBudget[],
): Promise<SpooledFile> {
  const hash = createHash('sha256');
  const handle = await onDisk(() => open(path, 'wx', 0o600));
  let bytes = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const flush = async (): Promise<void> => {
    const chunk = waiting.length === 1 ? waiting[0] : Buffer.concat(waiting, waitingBytes);
    waiting = [];
    waitingBytes = 0;
    if (chunk !== undefined) await onDisk(() => writeAll(handle, chunk));
  };
  try {
    for await (const chunk of source) {
      bytes += chunk.length;
      for (const budget of budgets) budget.take(chunk.length);
      hash.update(chunk);
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes >= WRITE_BYTES) await flush();
    }
    if (waitingBytes > 0) await flush();
    // What is accepted is to outlive a loss of power, as the task that names it does.
    await onDisk(() => handle.datasync());
  } finally {
    await handle.close();
  }
  return { path, bytes, sha256: hash.digest('hex') };
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let at = 0;
  while (at < chunk.length) at += (await handle.write(chunk, at)).bytesWritten;
}

async function onDisk<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw diskFault(cause);
  }
}
