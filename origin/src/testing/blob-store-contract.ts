/** What every {@link FileBlobStore} must do, from the duties in `tasks/ports.ts`. */

import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FileBlobStore } from '../inputs/file-blob-store.ts';
import type { Spool } from '../inputs/spool.ts';

/** An empty store, and what it keeps. */
export interface BlobStoreSubject {
  readonly blobs: FileBlobStore;
  readonly spool: Spool;
  /** How many things are kept for blobs, of any sort: files, keys, objects. */
  stored(): Promise<number>;
  /** How many files wait on this machine, or are lent as copies. */
  spooled(): Promise<number>;
}

/** Runs a test with an empty store, wherever that must happen. */
export type WithBlobStore = (test: (subject: BlobStoreSubject) => Promise<void>) => Promise<void>;

const MIB = 1024 * 1024;

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Declares the suite. */
export function describeBlobStore(name: string, withStore: WithBlobStore): void {
  const check = (title: string, test: (subject: BlobStoreSubject) => Promise<void>) =>
    it(title, () => withStore(test), 30_000);

  describe(`blob store contract: ${name}`, () => {
    check('INPUT-20: what was kept is lent byte for byte, whatever its size', async (subject) => {
      const { blobs, spooled } = subject;
      for (const size of [1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB + 17]) {
        const bytes = randomBytes(size);
        const kept = await blobs.put(pieces(bytes, 60_000), size);
        expect(kept.bytes).toBe(size);
        const lent = await blobs.lend(kept.blob);
        expect(sha256(await readFile(lent.path))).toBe(sha256(bytes));
        await lent.release();
      }
      expect(await spooled()).toBe(0);
    });

    check('INPUT-20: each file has a name of its own', async ({ blobs }) => {
      const bytes = Buffer.from('the same');
      const kept = await Promise.all([1, 2, 3].map(() => blobs.put(pieces(bytes, 3), 100)));
      expect(new Set(kept.map(({ blob }) => blob)).size).toBe(3);
    });

    check('INPUT-21: a file beyond its limit leaves nothing', async (subject) => {
      const put = subject.blobs.put(pieces(randomBytes(2 * MIB), 60_000), 2 * MIB - 1);
      await expect(put).rejects.toMatchObject({ code: 'payload_too_large' });
      expect(await subject.stored()).toBe(0);
      expect(await subject.spooled()).toBe(0);
    });

    check(
      'INPUT-21: a source that fails leaves nothing, and its error comes out',
      async (subject) => {
        async function* broken(): AsyncGenerator<Uint8Array> {
          yield randomBytes(MIB);
          throw new RangeError('broke off');
        }
        await expect(subject.blobs.put(broken(), 9 * MIB)).rejects.toThrow(RangeError);
        expect(await subject.stored()).toBe(0);
        expect(await subject.spooled()).toBe(0);
      },
    );

    check('INPUT-20: a file is lent to several at once, and again', async ({ blobs, spooled }) => {
      const { blob } = await blobs.put(pieces(Buffer.from('hello'), 2), 100);
      const lent = await Promise.all([blobs.lend(blob), blobs.lend(blob)]);
      await lent[0]?.release();
      expect(await readFile(lent[1]?.path ?? '', 'utf8')).toBe('hello');
      await lent[1]?.release();
      const again = await blobs.lend(blob);
      expect(await readFile(again.path, 'utf8')).toBe('hello');
      await again.release();
      expect(await spooled()).toBe(0);
    });

    check('INPUT-20: what was dropped is gone, and nothing else', async ({ blobs, stored }) => {
      const one = await blobs.put(pieces(randomBytes(MIB + 1), 60_000), 2 * MIB);
      const two = await blobs.put(pieces(Buffer.from('two'), 2), 100);
      await blobs.drop([one.blob]);
      await blobs.drop([one.blob, 'blob_00000000000000000000000000000000']);
      await expect(blobs.lend(one.blob)).rejects.toMatchObject({ code: 'not_found' });
      const lent = await blobs.lend(two.blob);
      expect(await readFile(lent.path, 'utf8')).toBe('two');
      await lent.release();
      await blobs.drop([two.blob]);
      expect(await stored()).toBe(0);
    });

    check('INPUT-20: a name that was never given leads nowhere', async ({ blobs }) => {
      for (const name of ['', '..', '../../etc/passwd', 'incoming', `blob_${'0'.repeat(32)}`]) {
        await expect(blobs.lend(name)).rejects.toMatchObject({ code: 'not_found' });
        await blobs.drop([name]);
      }
    });

    check('INPUT-20: a spooled file is adopted, and gone from the spool', async (subject) => {
      const { blobs, spool, spooled } = subject;
      const bytes = randomBytes(MIB + 5);
      const file = await spool.write(pieces(bytes, 60_000));
      expect(file.sha256).toBe(sha256(bytes));
      const { blob } = await blobs.adopt(file);
      expect(await spooled()).toBe(0);
      const lent = await blobs.lend(blob);
      expect(sha256(await readFile(lent.path))).toBe(sha256(bytes));
      await lent.release();
    });
  });
}
