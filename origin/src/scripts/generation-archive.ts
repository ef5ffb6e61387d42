/** Notes how scripts ended: whoever sees that a task is over keeps what came of it. */

import type { WireError } from '@headwater/shared/protocol/errors';
import type { Alarm, Clock, Logger } from '@headwater/shared/stream/ports';
import { isOver, type Json, type TaskRecord } from '@headwater/shared/tasks/task';
import type { TaskTexts } from '../tasks/task-texts.ts';
import { type Generation, type GenerationOutcome, taskIdOf } from './generation-record.ts';
import type { GenerationStore } from './generation-store.ts';

/** Time between two looks at the scripts whose end is not noted, in ms. */
const SWEEP_MS = 30_000;

/** A script that has no task after so long will never have one, in ms. */
export const LOST_AFTER_MS = 60_000;

/** Time between two deletions of old scripts, in ms. */
const DELETE_EVERY_MS = 3_600_000;

/** Scripts of one look at the database. */
const PAGE = 100;

/** What it is wired to. */
export interface ArchivePorts {
  readonly store: GenerationStore;
  /** The task; `undefined` where there is none. */
  task(owner: string, taskId: string): Promise<TaskRecord | undefined>;
  readonly texts: TaskTexts;
  /** False while the database was never needed: then there is nothing in it to look for. */
  isOpen(): boolean;
  /** How long a script is kept once it is over, in ms. */
  readonly retentionMs: number;
  readonly clock: Clock;
  alarm(onDue: () => void): Alarm;
  readonly logger: Logger;
}

/** A script, and its task where it goes on. */
export interface LiveGeneration {
  readonly generation: Generation;
  /** Of one that is not over; `undefined` while its task is about to be kept. */
  readonly record?: TaskRecord;
}

/** Notes the ends. */
export interface GenerationArchive {
  /** The script as it is now; its end is noted with this call. Errors: those of the stores. */
  look(generation: Generation): Promise<LiveGeneration>;
  /**
   * Looks at all that are not over, now and every {@link SWEEP_MS}, and deletes the old ones every
   * hour. Any number of instances may.
   */
  start(): Promise<void>;
  close(): void;
}

/** Makes it. */
export function createGenerationArchive(ports: ArchivePorts): GenerationArchive {
  const { store, texts, clock, logger } = ports;
  let isClosed = false;
  let deleteAtMs = 0;
  const alarm = ports.alarm(() => void sweep());

  async function look(generation: Generation): Promise<LiveGeneration> {
    if (generation.outcome !== undefined) return { generation };
    const taskId = taskIdOf(generation.id);
    const record = await ports.task(generation.owner, taskId);
    if (record !== undefined && !isOver(record.state.status)) return { generation, record };
    if (record === undefined && clock.nowMs() - generation.createdAtMs < LOST_AFTER_MS) {
      return { generation };
    }
    const outcome =
      record === undefined
        ? lostOutcome(clock.nowMs())
        : await outcomeOf(record, () => texts.textOf(taskId));
    await store.note(generation.id, outcome);
    return { generation: { ...generation, outcome } };
  }

  async function sweepAll(): Promise<void> {
    let after = { createdAtMs: 0, id: '' };
    for (;;) {
      const page = await store.open(after, PAGE);
      for (const generation of page) {
        if (isClosed) return;
        await look(generation);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = last;
    }
  }

  async function deleteOld(): Promise<void> {
    const nowMs = clock.nowMs();
    if (isClosed || nowMs < deleteAtMs) return;
    const swept = await store.sweep(nowMs - ports.retentionMs);
    deleteAtMs = nowMs + DELETE_EVERY_MS;
    if (swept > 0) logger.info({ swept }, 'old scripts deleted');
  }

  async function sweep(): Promise<void> {
    try {
      if (ports.isOpen()) {
        await sweepAll();
        await deleteOld();
      }
    } catch (err) {
      // What was not noted now is noted by the next sweep, or by whoever looks at it.
      if (!isClosed) logger.warn({ err }, 'scripts not swept');
    } finally {
      if (!isClosed) alarm.set(clock.nowMs() + SWEEP_MS);
    }
  }

  return {
    look,
    start: sweep,
    close() {
      isClosed = true;
      alarm.set(undefined);
    },
  };
}

async function outcomeOf(
  { spec, state }: TaskRecord,
  written: () => ReturnType<TaskTexts['textOf']>,
): Promise<GenerationOutcome> {
  const facts = {
    status: state.status as GenerationOutcome['status'],
    progress: state.progress,
    startedAtMs: state.startedAtMs ?? null,
    finishedAtMs: state.finishedAtMs ?? 0,
    error: state.status === 'timed_out' ? tooSlow(spec.timeoutMs) : (state.error ?? null),
  };
  if (state.status === 'succeeded') {
    const { text, ...result } = state.result as { readonly [name: string]: Json };
    return { ...facts, text: String(text), result };
  }
  const { text, words } = await written();
  return { ...facts, text, result: { word_count: words } };
}

/** In the words of scripts, whose callers cannot choose the time of a task. */
function tooSlow(timeoutMs: number): WireError {
  const seconds = Math.round(timeoutMs / 1000);
  return {
    code: 'upstream_timeout',
    message: `The models were too slow: the script was not written within ${seconds} s. Ask for a shorter one, or for another model.`,
  };
}

function lostOutcome(nowMs: number): GenerationOutcome {
  const message =
    'The gateway stopped before this script was begun, or before its end was noted. Ask for it again.';
  return {
    status: 'failed',
    progress: 0,
    startedAtMs: null,
    finishedAtMs: nowMs,
    text: '',
    result: null,
    error: { code: 'processing_failed', message },
  };
}
