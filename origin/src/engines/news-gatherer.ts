/** Joins what an engine tells within a short time: each message costs the parent. */

import type { EngineNews } from './engine-messages.ts';

/** Collects news of one attempt. */
export interface NewsGatherer {
  progress(fraction: number, stage?: string): void;
  text(text: string): void;
  /** JSON; the later one replaces it. */
  checkpoint(checkpoint: string): void;
  /** What has not been sent yet; nothing is sent by itself any more. */
  end(): EngineNews | undefined;
}

/** Longest time that news wait, in ms. */
const GATHER_MS = 20;

/**
 * Makes a gatherer. News after a pause go out at once, before whatever work blocks the thread next;
 * later ones together, {@link GATHER_MS} after those before.
 */
export function createNewsGatherer(
  send: (news: EngineNews) => void,
  nowMs: () => number = () => performance.now(),
): NewsGatherer {
  let waiting: EngineNews | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sentAtMs = Number.NEGATIVE_INFINITY;
  let hasEnded = false;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting === undefined) return;
    const news = waiting;
    waiting = undefined;
    sentAtMs = nowMs();
    send(news);
  }

  function told(): void {
    const waitMs = sentAtMs + GATHER_MS - nowMs();
    // The timer may be overdue: an engine that never lets go of the thread still gets its word out.
    if (waitMs <= 0) flush();
    else timer ??= setTimeout(flush, waitMs);
  }

  return {
    progress(fraction, stage) {
      if (hasEnded || !Number.isFinite(fraction)) return;
      const { stage: stageBefore, ...rest } = waiting ?? {};
      const newest = stage ?? stageBefore;
      waiting = {
        ...rest,
        progress: Math.min(1, Math.max(0, fraction)),
        ...(newest === undefined ? {} : { stage: newest }),
      };
      told();
    },
    text(text) {
      if (hasEnded || text === '') return;
      waiting = { ...waiting, text: (waiting?.text ?? '') + text };
      told();
    },
    checkpoint(checkpoint) {
      if (hasEnded) return;
      waiting = { ...waiting, checkpoint };
      told();
    },
    end() {
      hasEnded = true;
      clearTimeout(timer);
      const news = waiting;
      waiting = undefined;
      return news;
    },
  };
}
