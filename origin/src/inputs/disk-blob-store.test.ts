import { spawnSync } from 'node:child_process';
import { readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeBlobStore } from '../testing/blob-store-contract.ts';
import { withInputFolder } from '../testing/input-folder.ts';
import { openDiskBlobStore } from './disk-blob-store.ts';

const HOUR_MS = 3_600_000;

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

describeBlobStore('a folder', (test) =>
  withInputFolder(async ({ path }) => {
    const blobs = await openDiskBlobStore(path);
    const count = async (folder: string) =>
      (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).length;
    await test({
      blobs,
      spool: blobs.spool,
      stored: () => count(path),
      spooled: () => count(join(path, 'incoming')),
    });
  }),
);

describe('a folder of files', () => {
  it('INPUT-22: files are for this user alone', () =>
    withInputFolder(async ({ path }) => {
      const folder = join(path, 'blobs');
      const blobs = await openDiskBlobStore(folder);
      const { blob } = await blobs.put(one('secret'), 100);
      expect((await stat(join(folder, blob))).mode & 0o777).toBe(0o600);
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
    }));

  it('INPUT-23: a sweep deletes what no task has, but nothing young', () =>
    withInputFolder(async ({ path, files }) => {
      let nowMs = Date.now();
      const blobs = await openDiskBlobStore(path, () => nowMs);
      const wanted = await blobs.put(one('wanted'), 100);
      await blobs.put(one('orphan'), 100);
      expect(await blobs.sweep((blob) => blob === wanted.blob)).toBe(0);
      nowMs += HOUR_MS;
      expect(await blobs.sweep((blob) => blob === wanted.blob)).toBe(1);
      expect(await files()).toEqual([wanted.blob]);
    }));

  it('INPUT-23: what a crash left on its way in goes at a start a day later', () =>
    withInputFolder(async ({ path, files }) => {
      await openDiskBlobStore(path);
      const old = join(path, 'incoming', 'old');
      await writeFile(old, 'x');
      const then = (Date.now() - 26 * HOUR_MS) / 1000;
      await utimes(old, then, then);
      await writeFile(join(path, 'incoming', 'young'), 'x');
      await openDiskBlobStore(path);
      expect(await files()).toEqual(['young']);
    }));

  it('INPUT-21: a disk that is full is `unavailable`, and nothing is left', () =>
    withInputFolder(async ({ path, files }) => {
      const script = `
        import { openDiskBlobStore } from ${JSON.stringify(join(import.meta.dirname, 'disk-blob-store.ts'))};
        const blobs = await openDiskBlobStore(process.argv[1]);
        async function* large() { for (let n = 0; n < 40; n += 1) yield new Uint8Array(100_000); }
        const refusal = await blobs.put(large(), 1e9).catch((error) => error);
        console.log(refusal.code, refusal.message);
      `;
      // A limit on the size of files stands for a disk without room: writes fail alike.
      const node = `ulimit -f 1000; exec "$0" --input-type=module -e "$1" "$2"`;
      const run = spawnSync('sh', ['-c', node, process.execPath, script, path], {
        encoding: 'utf8',
      });
      expect(run.stdout).toContain('unavailable There is no room');
      expect(await files()).toEqual([]);
    }));
});
