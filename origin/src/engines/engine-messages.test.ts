import { describe, expect, it } from 'vitest';
import { MAX_CHECKPOINT_BYTES } from './engine-manifest.ts';
import { readFromChild } from './engine-messages.ts';

describe('messages of a child', () => {
  it.each([
    { type: 'ready' },
    { type: 'dying', cause: {} },
    { type: 'news', attempt: 1, news: { progress: 0.5, stage: 'reading', text: 'a' } },
    { type: 'news', attempt: 1, news: { checkpoint: '{}' } },
    { type: 'done', attempt: 1, result: null },
    { type: 'failed', attempt: 1, code: 'unavailable', message: 'No.' },
    { type: 'stopped', attempt: 1 },
  ])('ENGINE-14: are read as they are: $type', (message) => {
    expect(readFromChild(message)).toEqual(message);
  });

  it.each([
    undefined,
    null,
    'ready',
    {},
    { type: 'other', attempt: 1 },
    { type: 'done', result: 1 },
    { type: 'news', attempt: 1 },
    { type: 'news', attempt: 1, news: { progress: 'half' } },
    { type: 'news', attempt: 1, news: { progress: null } },
    { type: 'done', attempt: 1, result: 1, news: { text: 1 } },
    { type: 'news', attempt: 1, news: { checkpoint: { done: 1 } } },
    { type: 'news', attempt: 1, news: { checkpoint: '' } },
    { type: 'failed', attempt: 1, code: 'toString', message: 'No.' },
    { type: 'failed', attempt: 1, code: 'unavailable', message: { toString: 1 } },
  ])('ENGINE-14: are dropped where they are none: %j', (message) => {
    expect(readFromChild(message)).toBeUndefined();
  });

  it('ENGINE-14, ENGINE-21: a checkpoint that is longer than one may be is dropped', () => {
    const of = (bytes: number) => ({
      type: 'news',
      attempt: 1,
      news: { checkpoint: 'é'.repeat(bytes / 2) },
    });
    expect(readFromChild(of(MAX_CHECKPOINT_BYTES))).toBeDefined();
    expect(readFromChild(of(MAX_CHECKPOINT_BYTES + 2))).toBeUndefined();
  });
});
