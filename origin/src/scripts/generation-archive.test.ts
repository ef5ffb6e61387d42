import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { expect, it } from 'vitest';
import { type ArchivePorts, createGenerationArchive } from './generation-archive.ts';

it('SCRIPT-21: old scripts are deleted at the first sweep and every hour, also after a failure', async () => {
  let nowMs = 1_000_000;
  let due: () => void = () => undefined;
  let isDown = false;
  const swept: number[] = [];
  const sweeps: Promise<void>[] = [];
  const archive = createGenerationArchive({
    store: {
      open: async () => [],
      async sweep(beforeMs: number) {
        if (isDown) throw new Error('the database is away');
        swept.push(beforeMs);
        return 1;
      },
    } as Partial<ArchivePorts['store']> as ArchivePorts['store'],
    task: async () => undefined,
    texts: {} as ArchivePorts['texts'],
    isOpen: () => true,
    retentionMs: 600_000,
    clock: { nowMs: () => nowMs },
    alarm(onDue) {
      due = onDue;
      return { set: () => void sweeps.push(Promise.resolve()) };
    },
    logger: createSilentLogger(),
  });
  const sweepAt = async (ms: number) => {
    nowMs = ms;
    const before = sweeps.length;
    due();
    while (sweeps.length === before) await Promise.resolve();
  };
  await archive.start();
  expect(swept).toEqual([400_000]);
  await sweepAt(1_030_000);
  await sweepAt(4_599_999);
  expect(swept).toHaveLength(1);
  isDown = true;
  await sweepAt(4_600_000);
  isDown = false;
  await sweepAt(4_630_000);
  expect(swept).toEqual([400_000, 4_030_000]);
  archive.close();
});
