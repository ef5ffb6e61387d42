/** The events of an ended stream in a Durable Object's storage. */

import { packEvents, unpackEvents } from '@headwater/shared/stream/event-packing';
import type { EventKeeper } from '@headwater/shared/stream/memory-log';
import { openLongTexts } from './kv-long-text.ts';

const EVENTS = 'events';

/** Stands between the epoch and the events, which are JSON. */
const AFTER_EPOCH = ' ';

/** Opens the keeper: one text, all events in order. */
export function createKvEventKeeper(kv: SyncKvStorage): EventKeeper {
  const texts = openLongTexts(kv);
  return {
    keep({ epoch, events }) {
      texts.put(EVENTS, `${epoch}${AFTER_EPOCH}${packEvents(events)}`);
    },
    load() {
      const text = texts.get(EVENTS);
      if (text === undefined) return undefined;
      const at = text.indexOf(AFTER_EPOCH);
      return { epoch: Number(text.slice(0, at)), events: unpackEvents(text.slice(at + 1)) };
    },
    drop: () => texts.drop(EVENTS),
  };
}
