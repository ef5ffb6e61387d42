import { expect, it, vi } from 'vitest';
import { newStreamId } from './new-stream-id.ts';

it('STREAM-2: a stream id is a UUID of version 7, and no two are the same', () => {
  vi.spyOn(Date, 'now').mockReturnValue(0x0123_4567_89ab);
  const ids = Array.from({ length: 1000 }, newStreamId);
  vi.restoreAllMocks();
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});
