/** A browser that reads one stream over as many connections as it takes. */

import type { StreamEngine } from '../stream/engine.ts';
import { type EventPosition, isFinal, parseEventId } from '../stream/event.ts';
import {
  createRecordingSubscriber,
  type RecordingSubscriber,
  type SeenEvent,
} from './recording-subscriber.ts';

/** One reader of a stream, with what it shows its user. */
export interface Visitor {
  /** Connects, unless it is connected or has the end. */
  attach(engine: StreamEngine): void;
  /** Loses its connection, and of what was on its way all but the first `frames`. */
  hangUp(engine: StreamEngine | undefined, frames?: number): void;
  stall(): void;
  take(): void;
  /** Takes in what has come so far; throws where events are lost, repeated or out of order. */
  look(): void;
  /** What the user sees. */
  readonly text: string;
  readonly hasEnd: boolean;
}

/** Makes a visitor that has seen nothing. */
export function createVisitor(format: 'ws' | 'sse-json'): Visitor {
  let line: RecordingSubscriber | undefined;
  let taken = 0;
  let last: EventPosition | undefined;
  let text = '';
  let hasEnd = false;
  /** True after a `restart` without an id: the next event is the first of its epoch. */
  let isVoid = false;

  function follow(event: SeenEvent): void {
    const at = parseEventId(event.id ?? '');
    if (event.type === 'restart') text = '';
    if (at === undefined) {
      if (event.type !== 'restart') throw new Error(`a ${event.type} without an id`);
      isVoid = true;
      return;
    }
    const isNext =
      !isVoid && last !== undefined && at.epoch === last.epoch && at.seq === last.seq + 1;
    const isFirst = at.seq === 1 && (last === undefined || isVoid);
    const beginsAgain =
      at.seq === 1 && last !== undefined && at.epoch > last.epoch && event.type === 'restart';
    if (!isNext && !isFirst && !beginsAgain) {
      throw new Error(`${event.id} after ${last?.epoch.toString(36)}-${last?.seq}`);
    }
    if (hasEnd) throw new Error(`${event.id} after the end`);
    isVoid = false;
    last = at;
    if (event.type === 'delta') text += event.text;
    hasEnd = isFinal(event);
  }

  function look(): void {
    if (line === undefined) return;
    const events = line.events();
    for (const event of events.slice(taken)) follow(event);
    taken = events.length;
    const code = line.endError?.code;
    if (code !== undefined && code !== 'unavailable') throw new Error(`let go with ${code}`);
  }

  return {
    attach(engine) {
      if (hasEnd || (line !== undefined && !line.ended)) return;
      look();
      line = undefined;
      if (hasEnd) return;
      const decision = engine.decide(last);
      if (decision.type === 'nothing-left') throw new Error('nothing is left before the end');
      line = createRecordingSubscriber(format);
      taken = 0;
      engine.attach(
        line,
        decision.type === 'read' ? decision.afterSeq : 0,
        decision.type === 'gap',
      );
    },
    hangUp(engine, frames = Number.POSITIVE_INFINITY) {
      if (line === undefined) return;
      if (!line.ended) engine?.detach(line);
      for (const event of line.events().slice(taken, Math.max(taken, frames))) follow(event);
      line = undefined;
    },
    stall: () => line?.stall(),
    take: () => line?.take(),
    look,
    get text() {
      return text;
    },
    get hasEnd() {
      return hasEnd;
    },
  };
}
