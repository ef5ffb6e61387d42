import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { InputFile, Json } from '@headwater/shared/tasks/task';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestPool } from '../testing/open-test-pool.ts';
import { aTestTask } from '../testing/test-engine-task.ts';

let folder: string;
let refusal: unknown;
const lent: string[] = [];
const released: string[] = [];

const pool = openTestPool({
  size: 1,
  env: {
    ...process.env,
    JWT_SECRET: 'a secret of thirty-two bytes or more',
    MAX_INPUT_PIXELS: '100000',
  },
  blobs: {
    async lend(blob) {
      if (blob === 'missing') throw refusal;
      lent.push(blob);
      return {
        path: join(folder, blob),
        release() {
          released.push(blob);
          if (blob === 'stubborn') throw new Error('not released');
        },
      };
    },
  },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-engine-files-'));
  const image = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
  await writeFile(join(folder, 'small'), await image(40, 30));
  await writeFile(join(folder, 'large'), await image(400, 300));
  await writeFile(join(folder, 'broken'), (await image(40, 30)).subarray(0, 60));
  await writeFile(join(folder, 'stubborn'), '');
});
afterAll(async () => {
  await pool.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  lent.length = 0;
  released.length = 0;
});

const file = (blob: string): InputFile => ({
  field: 'image',
  blob,
  bytes: 1,
  mediaType: 'image/png',
});

function run(
  params: { readonly [name: string]: Json },
  blobs: readonly string[],
  { signal = new AbortController().signal, timeoutMs = 60_000 } = {},
) {
  const task = aTestTask({ params, files: blobs.map(file), timeoutMs });
  return pool.run(task, signal, () => undefined);
}

describe('files of an attempt', () => {
  it('ENGINE-12: an engine gets them as files on its machine, and decodes in its own process', async () => {
    const outcome = await run({ decode: true }, ['small', 'large']);
    expect(outcome).toMatchObject({
      type: 'succeeded',
      result: { width: 40, height: 30, files: ['image', 'image'] },
    });
    expect(released).toEqual(['small', 'large']);
  });

  it.each(['large', 'broken'])(
    'ENGINE-12: an image that cannot be decoded within the limits is refused: %s',
    async (blob) => {
      expect(await run({ decode: true }, [blob])).toMatchObject({
        type: 'failed',
        error: { code: 'validation_failed' },
      });
      expect(released).toEqual([blob]);
    },
  );

  it.each([
    ['fails', { fail: { code: 'none' } }, 'failed'],
    ['crashes', { crash: 'sigkill' }, 'crashed'],
    ['runs out of time', { hang: true }, 'timed-out'],
  ])('ENGINE-12: they are released when the attempt %s', async (_how, params, type) => {
    await run({}, []);
    const outcome = await run(params, ['small'], {
      timeoutMs: type === 'timed-out' ? 400 : 60_000,
    });
    expect(outcome.type).toBe(type);
    expect(released).toEqual(['small']);
  });

  it('ENGINE-12: they are released when the attempt is stopped before it has them all', async () => {
    const stop = new AbortController();
    const ended = run({}, ['small'], { signal: stop.signal });
    stop.abort();
    expect(await ended).toEqual({ type: 'stopped' });
    await Promise.resolve();
    expect(released).toEqual(lent);
  });

  it('ENGINE-12: a file that is gone fails with the store’s code, and the others are released', async () => {
    refusal = new GatewayError('not_found', 'There is no such file.');
    expect(await run({}, ['small', 'missing'])).toEqual({
      type: 'failed',
      error: { code: 'not_found', message: 'There is no such file.' },
    });
    expect(released).toEqual(['small']);
  });

  it('ENGINE-12: a store that cannot be read now is `unavailable`', async () => {
    refusal = new Error('ECONNREFUSED');
    expect(await run({}, ['missing'])).toMatchObject({
      type: 'failed',
      error: { code: 'unavailable' },
    });
  });

  it('ENGINE-12: a file that cannot be released spoils no result', async () => {
    expect((await run({}, ['stubborn'])).type).toBe('succeeded');
    expect(pool.logged()).toContain('file not released');
  });
});
