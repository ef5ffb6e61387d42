/** Runs attempts in child processes: a crash, a hang or an appetite costs one child and one attempt. */

import { GatewayError, toGatewayError } from '@headwater/shared/protocol/errors';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import type {
  AttemptNews,
  AttemptOutcome,
  BlobStore,
  EnginePool,
} from '@headwater/shared/tasks/ports';
import type { TaskRecord } from '@headwater/shared/tasks/task';
import { type AttemptCut, watchAttempt } from './attempt-cut.ts';
import { childEnvironment } from './child-environment.ts';
import { createChildSet } from './child-set.ts';
import type { EngineFile } from './engine-manifest.ts';
import { createFreeSlots } from './free-slots.ts';
import { type LentFiles, lendFiles } from './lent-files.ts';
import { createStartPauses } from './start-pauses.ts';

export interface EnginePoolOptions {
  /** Most children, each of which runs one task at a time. They are started when they are needed. */
  readonly size: number;
  /** Resident memory at which a child is ended, in bytes; also the bound of its JavaScript heap. */
  readonly memoryLimitBytes: number;
  readonly blobs: Pick<BlobStore, 'lend'>;
  /** The environment of the process; children get it without what they need not know. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** Paths of engines beside the built-in ones, from `TASK_ENGINES`. */
  readonly engineModules: readonly string[];
  readonly clock: Clock;
  /** Another program in place of the child; for tests. */
  readonly entry?: string;
  /** False: children tell their memory themselves, as they do where there is no /proc. */
  readonly readsMemory?: boolean;
}

/** A pool, and what can be seen of it. */
export interface SupervisedPool extends EnginePool {
  /** Child processes there are, and how many of them work. */
  look(): { readonly processes: number; readonly busy: number };
}

/** An attempt that a pool runs. */
interface PoolAttempt {
  readonly task: TaskRecord;
  readonly cut: AttemptCut;
  readonly news: (news: AttemptNews) => void;
  readonly checkpoint: string | undefined;
}

/** Under this name children that do not start have their pauses; no engine is called so. */
const ANY_CHILD = '';

/** Makes the pool. It starts nothing yet. */
export function createEnginePool(options: EnginePoolOptions): SupervisedPool {
  const { size, blobs, logger, clock, memoryLimitBytes, entry, readsMemory } = options;
  const env = childEnvironment(options.env, options.engineModules);
  const children = createChildSet(size, { env, memoryLimitBytes, logger, entry, readsMemory });
  const slots = createFreeSlots(size);
  const pauses = createStartPauses(clock.nowMs);
  const cuts = new Set<AttemptCut>();
  let isClosed = false;

  async function run(
    task: TaskRecord,
    signal: AbortSignal,
    news: (news: AttemptNews) => void,
    checkpoint?: string,
  ): Promise<AttemptOutcome> {
    if (isClosed) return { type: 'stopped' };
    const cut = watchAttempt(signal, task.spec.timeoutMs);
    cuts.add(cut);
    try {
      return await withFiles({ task, cut, news, checkpoint });
    } catch (thrown) {
      return refused(task, thrown);
    } finally {
      cut.end();
      cuts.delete(cut);
    }
  }

  function refused({ spec }: TaskRecord, thrown: unknown): AttemptOutcome {
    const { code, message, details } = toGatewayError(thrown);
    logger.warn({ taskId: spec.id, err: thrown }, 'attempt not begun');
    const seconds = details?.retryAfterSeconds;
    return {
      type: 'failed',
      error: { code, message },
      ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1000 }),
    };
  }

  async function withFiles(attempt: PoolAttempt): Promise<AttemptOutcome> {
    const { task, cut } = attempt;
    const { id, input } = task.spec;
    if (input.files.length === 0) return withSlot(attempt, []);
    const release = (lent: LentFiles): void =>
      void lent.release((err) => logger.warn({ taskId: id, err }, 'file not released'));
    const lent = await cut.wait(lendFiles(blobs, input.files), release);
    if (lent === undefined) return unbegun(cut);
    try {
      return await withSlot(attempt, lent.files);
    } finally {
      release(lent);
    }
  }

  async function withSlot(
    attempt: PoolAttempt,
    files: readonly EngineFile[],
  ): Promise<AttemptOutcome> {
    const { cut } = attempt;
    if (!slots.tryTake() && (await cut.wait(slots.take(), slots.release)) === undefined) {
      return unbegun(cut);
    }
    try {
      return await withChild(attempt, files);
    } finally {
      slots.release();
    }
  }

  async function withChild(
    { task, cut, news, checkpoint }: PoolAttempt,
    files: readonly EngineFile[],
  ): Promise<AttemptOutcome> {
    const { id: taskId, type: engine, input } = task.spec;
    await pauseBefore(engine, cut);
    if (cut.reason !== undefined) return unbegun(cut);
    const child = children.claim(engine);
    try {
      if (!child.isReady()) {
        await cut.wait(child.ready);
        if (cut.reason !== undefined) return unbegun(cut);
        if (!child.isReady()) throw notStarted(pauses.failed(ANY_CHILD));
        pauses.worked(ANY_CHILD);
      }
      cut.whenCut((reason) => {
        if (reason === 'stopped') child.stop();
        else child.kill({ type: 'timed-out' });
      });
      const { params } = input;
      const outcome = await child.run({ taskId, engine, params, files, checkpoint, news });
      if (outcome.type === 'failed' && !child.isAlive()) {
        return { ...outcome, retryAfterMs: pauses.failed(engine) };
      }
      pauses.worked(engine);
      return outcome;
    } finally {
      children.giveBack(child, engine);
    }
  }

  /** Waits where a start has just failed: a task that came now would fail too. */
  async function pauseBefore(engine: string, cut: AttemptCut): Promise<void> {
    if (children.hasWarm(engine)) return;
    const leftMs = Math.max(pauses.leftMs(ANY_CHILD), pauses.leftMs(engine));
    if (leftMs === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await cut.wait(
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, leftMs);
      }),
    );
    clearTimeout(timer);
  }

  return {
    run,
    look: () => ({ processes: children.processes, busy: slots.used }),
    async close() {
      isClosed = true;
      const over = children.close();
      for (const cut of cuts) cut.cut('stopped');
      await over;
    },
  };
}

/** What becomes of an attempt that had to end before its engine had it. */
function unbegun({ reason }: AttemptCut): AttemptOutcome {
  if (reason === 'stopped') return { type: 'stopped' };
  // Not the task's own fault, so that it may be tried again.
  const message = "No engine process was free within the task's time.";
  return { type: 'failed', error: { code: 'unavailable', message } };
}

function notStarted(pauseMs: number): GatewayError {
  return new GatewayError('unavailable', 'The engine process cannot be started here.', {
    details: { retryAfterSeconds: pauseMs / 1000 },
  });
}
