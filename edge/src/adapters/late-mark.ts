/** The mark that a model has been asked, kept while its answer is on the way. */

import type { SessionStore, StreamLog } from '@headwater/shared/stream/ports';
import type { SessionState } from '@headwater/shared/stream/session-state';

/** A store and a log that know of each other. */
export interface LateMark {
  readonly store: SessionStore;
  readonly log: StreamLog;
}

/** Asked, and nothing said yet: no reader has seen anything that a crash would contradict. */
const isMark = ({ status, lastSeq }: SessionState): boolean =>
  status === 'streaming' && lastSeq === 0;

/**
 * Lets the mark wait for `later`, which calls back in another turn. A Durable Object holds what it
 * sends, also to the vendor, until what it wrote before is confirmed: this way the request goes out
 * first, and the write costs nobody time. The mark is there before the first event is shown. A host
 * that dies sooner finds a session nobody has been to yet, and its reader comes back and starts it.
 */
export function keepMarkLate(
  store: SessionStore,
  log: StreamLog,
  later: (run: () => void) => void,
): LateMark {
  let mark: SessionState | undefined;

  function keepMark(): void {
    if (mark === undefined) return;
    void store.save(mark);
    mark = undefined;
  }

  function keepMarkSoon(): void {
    try {
      keepMark();
    } catch {
      // It is tried again before the first event, and a refusal then is the stream's end.
    }
  }

  return {
    store: {
      ...store,
      save(state) {
        if (isMark(state)) {
          const isAwaited = mark !== undefined;
          mark = state;
          if (!isAwaited) later(keepMarkSoon);
          return undefined;
        }
        mark = undefined;
        return store.save(state);
      },
      drop() {
        mark = undefined;
        return store.drop();
      },
    },
    log: {
      ...log,
      append(batch) {
        keepMark();
        return log.append(batch);
      },
    },
  };
}
