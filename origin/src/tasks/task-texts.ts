/** The text of a task as it grows, read from its events. */

import type { EventPosition } from '@headwater/shared/stream/event';
import type { TaskStore } from '@headwater/shared/tasks/ports';
import { countWords } from '@headwater/shared/text/scripts/count-words';

/** A text, and its words. */
export interface TaskText {
  readonly text: string;
  readonly words: number;
}

/** Reads texts. */
export interface TaskTexts {
  /** All text of the current epoch; empty where the task is unknown. Errors: those of the store. */
  textOf(taskId: string): Promise<TaskText>;
}

/** Events of one read. */
const PAGE = 512;

/** Tasks whose text is remembered, so that who looks again pays for what is new alone. */
const MAX_REMEMBERED = 64;

/** Makes the reader. */
export function createTaskTexts(store: Pick<TaskStore, 'read' | 'head'>): TaskTexts {
  /** Read longest ago first. */
  const known = new Map<string, TaskText & { readonly position: EventPosition }>();

  return {
    async textOf(taskId) {
      const { epoch } = await store.head(taskId);
      const before = known.get(taskId);
      const isSame = before?.position.epoch === epoch;
      let { position, text, words } = isSame
        ? before
        : { position: { epoch, seq: 0 }, text: '', words: 0 };
      for (;;) {
        const events = await store.read(taskId, position, PAGE);
        const added = events.map((event) => (event.type === 'delta' ? event.text : '')).join('');
        text += added;
        // A script is told by whole words.
        words += countWords(added);
        position = { epoch, seq: position.seq + events.length };
        if (events.length < PAGE) break;
      }
      known.delete(taskId);
      known.set(taskId, { position, text, words });
      if (known.size > MAX_REMEMBERED) {
        const [oldest] = known.keys();
        if (oldest !== undefined) known.delete(oldest);
      }
      return { text, words };
    },
  };
}
