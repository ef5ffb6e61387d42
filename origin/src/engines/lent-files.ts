/** Has the files of a task on this machine for as long as an attempt lasts. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { BlobStore, LentFile } from '@headwater/shared/tasks/ports';
import type { InputFile } from '@headwater/shared/tasks/task';
import type { EngineFile } from './engine-manifest.ts';

/** Files that are lent until they are released. */
export interface LentFiles {
  readonly files: readonly EngineFile[];
  /** Never rejects: `failed` is told what could not be released. */
  release(failed: (thrown: unknown) => void): Promise<void>;
}

/**
 * Lends all of them, or none. Errors: those of {@link BlobStore.lend}; `unavailable` where the store
 * cannot be read now.
 */
export async function lendFiles(
  blobs: Pick<BlobStore, 'lend'>,
  files: readonly InputFile[],
): Promise<LentFiles> {
  const outcomes = await Promise.allSettled(files.map(({ blob }) => blobs.lend(blob)));
  const lent = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value] : [],
  );
  const refusal = outcomes.find((outcome) => outcome.status === 'rejected');
  if (refusal !== undefined) {
    await releaseAll(lent, () => undefined);
    throw refusal.reason instanceof GatewayError
      ? refusal.reason
      : new GatewayError('unavailable', 'The files of the task cannot be read now.', {
          cause: refusal.reason,
        });
  }
  return {
    files: files.map((file, index) => ({ ...file, path: lent[index]?.path ?? '' })),
    release: (failed) => releaseAll(lent, failed),
  };
}

async function releaseAll(
  lent: readonly LentFile[],
  failed: (thrown: unknown) => void,
): Promise<void> {
  await Promise.all(
    lent.map(async (file) => {
      try {
        await file.release();
      } catch (thrown) {
        failed(thrown);
      }
    }),
  );
}
