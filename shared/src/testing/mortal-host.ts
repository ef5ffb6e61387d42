/** A host that dies at any moment, and comes back with what it had kept. */

import type { ModelProvider } from '../providers/contract.ts';
import type { StreamEngine } from '../stream/engine.ts';
import { startEngine } from '../stream/engine.ts';
import { createMemoryLog, type KeptEvents } from '../stream/memory-log.ts';
import type { OutgoingCallback, StreamLog } from '../stream/ports.ts';
import type { SessionState } from '../stream/session-state.ts';
import { type AwkwardLog, createAwkwardLog, type Touch } from './awkward-log.ts';
import { createScriptedModel, type ScriptedModel } from './scripted-model.ts';
import { createSilentLogger } from './silent-logger.ts';
import type { VirtualClock } from './virtual-clock.ts';

/**
 * Where the events of a live stream are: in memory and at hand at once; in memory, but the log, the
 * store and the outbox answer later and out of turn; or the same, and the log outlives its host.
 */
export type HostKind = 'at once' | 'later' | 'durable';

/** The host, and what it kept. */
export interface MortalHost {
  /** `undefined` while it starts. */
  readonly engine: StreamEngine | undefined;
  readonly model: ScriptedModel;
  /** Every callback that was kept, the repeated ones too. */
  readonly callbacks: readonly OutgoingCallback[];
  /** Answers one call of the log. */
  answer(index: number): void;
  /** From now on, and after every crash, nothing waits. */
  flow(): void;
  /** The process is gone: nothing it had begun goes on. A new one starts. */
  crash(): void;
}

const never = new Promise<never>(() => undefined);

/** Makes the host of one session. */
export function createMortalHost(
  kind: HostKind,
  initial: SessionState,
  clock: VirtualClock,
  touch: (call: number) => Touch,
): MortalHost {
  let saved = initial;
  let sealed: KeptEvents | undefined;
  const durable = createMemoryLog();
  const callbacks: OutgoingCallback[] = [];
  let life = 0;
  let asked = 0;
  let engine: StreamEngine | undefined;
  let model = createScriptedModel();
  let awkward: AwkwardLog | undefined;
  let isFlowing = false;

  /** A call that a dead process had begun changes nothing. */
  function lastingWrite(mine: number, write: () => void): void | Promise<void> {
    if (kind === 'at once') {
      if (mine === life) write();
      return undefined;
    }
    return Promise.resolve().then(() => {
      if (mine !== life) return never;
      write();
      return undefined;
    });
  }

  function durableWhile(mine: number): StreamLog {
    return {
      ...durable,
      append: (batch) => (mine === life ? durable.append(batch) : never),
    };
  }

  function openLog(mine: number): StreamLog {
    const memory = createMemoryLog(
      {
        keep: (kept) => {
          if (mine === life) sealed = { epoch: kept.epoch, events: [...kept.events] };
        },
        load: () => sealed,
        drop: () => undefined,
      },
      sealed,
    );
    if (kind === 'at once') return memory;
    awkward = createAwkwardLog(touch, kind === 'durable' ? durableWhile(mine) : memory);
    if (isFlowing) awkward.flow();
    return awkward;
  }

  function start(origin: 'created' | 'restored'): void {
    const mine = life;
    const source = createScriptedModel();
    model = source;
    const begun = startEngine(
      saved,
      {
        log: openLog(mine),
        store: {
          save: (state) =>
            lastingWrite(mine, () => {
              saved = state;
            }),
          load: () => saved,
          drop: () => undefined,
        },
        outbox: {
          enqueue: (callback) => lastingWrite(mine, () => void callbacks.push(callback)),
          view: () => undefined,
          forget: () => undefined,
        },
        clock,
        alarm: clock.alarm(() => {
          if (mine === life) void engine?.wake();
        }),
        logger: createSilentLogger(),
        provider: () => ({ ...source.provider, stream: signedStream(source) }),
        countTokens: async (text) => text.length,
        purged: () => undefined,
      },
      origin,
    );
    void begun.then((made) => {
      if (mine === life) engine = made;
    });
  }

  /** Every text says whose it is, `<model>.<request>:`, so that no two can pass for one answer. */
  function signedStream(source: ScriptedModel): ModelProvider['stream'] {
    return async function* sign(request, signal) {
      asked += 1;
      const signature = `${request.model}.${asked}:`;
      for await (const events of source.provider.stream(request, signal)) {
        yield events.map((event) =>
          event.type === 'text' ? { ...event, text: signature + event.text } : event,
        );
      }
    };
  }

  start('created');
  return {
    get engine() {
      return engine;
    },
    get model() {
      return model;
    },
    callbacks,
    answer: (index) => awkward?.answer(index),
    flow() {
      isFlowing = true;
      awkward?.flow();
    },
    crash() {
      life += 1;
      engine = undefined;
      awkward = undefined;
      start('restored');
    },
  };
}
