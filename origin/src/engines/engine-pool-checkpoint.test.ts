import type { AttemptNews } from '@headwater/shared/tasks/ports';
import type { Json } from '@headwater/shared/tasks/task';
import { afterAll, describe, expect, it } from 'vitest';
import { openTestPool } from '../testing/open-test-pool.ts';
import { aTestTask } from '../testing/test-engine-task.ts';
import { MAX_CHECKPOINT_BYTES } from './engine-manifest.ts';

const never = new AbortController().signal;
const pool = openTestPool({ size: 1 });
afterAll(() => pool.close());

async function run(params: { readonly [name: string]: Json }, checkpoint?: string) {
  const news: AttemptNews[] = [];
  const task = aTestTask({ params });
  const outcome = await pool.run(task, never, (one) => news.push(one), checkpoint);
  const checkpoints = news.flatMap((one) => (one.type === 'checkpoint' ? [one.checkpoint] : []));
  return { outcome, news, checkpoints };
}

/** Text that came before the last checkpoint. */
function textBefore(news: readonly AttemptNews[]): string {
  const last = news.findLastIndex(({ type }) => type === 'checkpoint');
  return news.slice(0, last).reduce((all, one) => all + (one.type === 'text' ? one.text : ''), '');
}

describe('what an engine keeps', () => {
  it('ENGINE-21: comes after the text that it counts for, and a crash does not take it', async () => {
    const parts = { texts: ['one ', 'two ', 'three '], pauseMs: 30, crashAfter: 2 };
    const { outcome, news, checkpoints } = await run({ parts });
    expect(outcome.type).toBe('crashed');
    expect(checkpoints.at(-1)).toBe('{"done":2}');
    expect(textBefore(news)).toBe('one two ');
  });

  it('ENGINE-21: is what an attempt after it is given, and a first one is given nothing', async () => {
    const parts = { texts: ['one ', 'two ', 'three '], pauseMs: 0, crashAfter: 2 };
    const { outcome, news, checkpoints } = await run({ parts }, '{"done":2}');
    expect(outcome).toMatchObject({ type: 'succeeded', result: { doneBefore: 2 } });
    expect(news.map((one) => (one.type === 'text' ? one.text : '')).join('')).toBe(
      'one two three ',
    );
    expect(checkpoints.at(-1)).toBe('{"done":3}');
    const first = await run({ parts: { texts: ['one'], pauseMs: 0 } });
    expect(first.outcome).toMatchObject({ result: { doneBefore: 0 } });
  });

  it('ENGINE-21: is 1 MiB of JSON at most: beyond it the attempt fails, whatever the engine makes of it', async () => {
    // The quotes count.
    const most = await run({ checkpointChars: MAX_CHECKPOINT_BYTES - 2 });
    expect(most.outcome.type).toBe('succeeded');
    expect(most.checkpoints[0]).toHaveLength(MAX_CHECKPOINT_BYTES);
    const more = await run({ checkpointChars: MAX_CHECKPOINT_BYTES - 1 });
    expect(more.outcome).toEqual({
      type: 'failed',
      error: { code: 'payload_too_large', message: 'The checkpoint is larger than 1 MiB.' },
    });
    expect(more.checkpoints).toEqual([]);
  });
});
