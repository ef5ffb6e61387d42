/** Folders of files that tests count. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of a test's own. */
export interface InputFolder {
  readonly path: string;
  /** Every file in it, at any depth. */
  files(): Promise<readonly string[]>;
}

/** Runs a test with an empty folder, which is deleted after it. */
export async function withInputFolder<T>(test: (folder: InputFolder) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), 'headwater-inputs-'));
  try {
    return await test({
      path,
      async files() {
        const entries = await readdir(path, { recursive: true, withFileTypes: true });
        return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
      },
    });
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}
