import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EngineNews } from './engine-messages.ts';
import { createNewsGatherer } from './news-gatherer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function gather() {
  const sent: EngineNews[] = [];
  return { sent, gatherer: createNewsGatherer((news) => sent.push(news), Date.now) };
}

describe('news of an engine', () => {
  it('ENGINE-2: go out at once after a pause, before anything blocks the thread', () => {
    const { sent, gatherer } = gather();
    gatherer.progress(0.5, 'reading');
    expect(sent).toEqual([{ progress: 0.5, stage: 'reading' }]);
    vi.advanceTimersByTime(20);
    gatherer.text('a');
    expect(sent).toEqual([{ progress: 0.5, stage: 'reading' }, { text: 'a' }]);
  });

  it('ENGINE-2: those of 20 ms go out together: all text, and the newest progress', () => {
    const { sent, gatherer } = gather();
    gatherer.text('a');
    gatherer.text('b');
    gatherer.progress(0.1, 'one');
    gatherer.progress(0.2);
    gatherer.text('c');
    vi.advanceTimersByTime(19);
    expect(sent).toEqual([{ text: 'a' }]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([{ text: 'a' }, { text: 'bc', progress: 0.2, stage: 'one' }]);
    vi.advanceTimersByTime(100);
    expect(sent).toHaveLength(2);
  });

  it('ENGINE-2: an engine that keeps the thread busy is still heard', () => {
    const { sent, gatherer } = gather();
    gatherer.progress(0.1);
    gatherer.progress(0.2);
    // No timer rings, but time goes by.
    vi.setSystemTime(Date.now() + 20);
    gatherer.progress(0.3);
    expect(sent).toEqual([{ progress: 0.1 }, { progress: 0.3 }]);
  });

  it('ENGINE-2: what is left goes with the end, and nothing is said after it', () => {
    const { sent, gatherer } = gather();
    gatherer.text('a');
    gatherer.text('b');
    expect(gatherer.end()).toEqual({ text: 'b' });
    gatherer.text('c');
    gatherer.progress(1);
    vi.advanceTimersByTime(100);
    expect(sent).toEqual([{ text: 'a' }]);
    expect(gatherer.end()).toBeUndefined();
  });

  it('ENGINE-2: progress stays between 0 and 1, and is a number', () => {
    const { sent, gatherer } = gather();
    for (const fraction of [-1, 7, Number.NaN]) {
      gatherer.progress(fraction);
      vi.advanceTimersByTime(20);
    }
    expect(sent).toEqual([{ progress: 0 }, { progress: 1 }]);
  });
});
