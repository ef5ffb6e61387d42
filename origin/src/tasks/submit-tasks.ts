/** Accepts tasks: reads what is asked, keeps it with one call, and tells the queue. */

import { readIdempotencyKey } from '@headwater/shared/gateway/idempotency';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { TaskSettings } from '@headwater/shared/protocol/task-settings';
import { faultsOf, requestFaults } from '@headwater/shared/protocol/tasks';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import type { Submission, TaskQueue, TaskStore } from '@headwater/shared/tasks/ports';
import type { BatchEntry, BatchRecord, TaskRecord } from '@headwater/shared/tasks/task';
import { newTask } from '@headwater/shared/tasks/task-machine';
import type { DraftEntry, InboundBody, InputReader, TaskDraft } from '../inputs/draft.ts';
import type { EngineDirectory } from './engine-directory.ts';
import { kindOf, newId } from './task-id.ts';

/** What it is wired to. */
export interface SubmitPorts {
  readonly store: Pick<TaskStore, 'submit' | 'get' | 'getBatch'>;
  readonly queue: Pick<TaskQueue, 'offer'>;
  readonly inputs: InputReader;
  readonly engines: Pick<EngineDirectory, 'require' | 'manifestFor'>;
  readonly limits: Pick<TaskSettings, 'maxAttempts' | 'maxQueued' | 'maxQueuedPerSubject'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Counts them. */
  accepted(type: string, count: number): void;
}

/** A request for tasks. */
export interface SubmitRequest {
  readonly owner: string;
  /** The header; `null` where there is none. */
  readonly idempotencyKey: string | null;
  readonly inbound: InboundBody;
}

/** What a draft may be submitted with. */
interface DraftOptions {
  /** The caller's own, as its header has it. Keys of drafts and of requests are the same ones. */
  readonly idempotencyKey?: string | null;
  /**
   * The id of the task, made by {@link newId} before: whoever notes it first can submit again after
   * a crash. The same id again makes no second task. Default: a new one.
   */
  readonly id?: string;
}

/** What was accepted, now or the first time. */
interface Accepted<Kept> {
  readonly kept: Kept;
  /** The same request with the same key came before. */
  readonly replayed: boolean;
}

/** A batch that was accepted. */
interface AcceptedBatch extends Accepted<BatchRecord> {
  /** Its tasks, where they were accepted now. */
  readonly tasks?: readonly TaskRecord[];
}

/** Takes tasks in. */
export interface TaskIntake {
  /**
   * Errors: `not_found` and `unavailable` for the type, `unprocessable` for a key of another
   * request, `rate_limited`, `unavailable` while the process goes down; those of the reader. After
   * any of them nothing is kept.
   */
  submit(type: string, request: SubmitRequest): Promise<Accepted<TaskRecord>>;
  /**
   * Accepts what the gateway itself made, of an internal type too: its parameters are checked by the
   * manifest, which also fills in the defaults, and all else is as of {@link submit}. Errors: the
   * same; `validation_failed` for the parameters; `conflict` for the id of another caller's task, or
   * of one of another type.
   */
  submitDraft(
    owner: string,
    draft: TaskDraft,
    options?: DraftOptions,
  ): Promise<Accepted<TaskRecord>>;
  /** The same; a single bad entry is told in the batch. */
  submitBatch(request: SubmitRequest): Promise<AcceptedBatch>;
  /** The process goes down: nothing is accepted any more. */
  close(): void;
}

/** Seconds after which a caller, or everybody, may have room again. */
const FULL_RETRY_SECONDS = 5;

/** Seconds after which whoever comes next in this process's place may answer. */
const CLOSED_RETRY_SECONDS = 2;

/** Makes the intake. */
export function createTaskIntake(ports: SubmitPorts): TaskIntake {
  const { store, inputs, clock, logger, limits } = ports;
  let isClosed = false;

  function requireOpen(): void {
    if (!isClosed) return;
    throw new GatewayError('unavailable', 'This origin goes down. Try again.', {
      details: { retryAfterSeconds: CLOSED_RETRY_SECONDS },
    });
  }

  function recordOf(
    owner: string,
    draft: TaskDraft,
    { id = newId('task'), batchId }: { readonly id?: string; readonly batchId?: string } = {},
  ): TaskRecord {
    const { type, input, priority, timeoutMs, callbackUrl } = draft;
    return newTask({
      id,
      type,
      owner,
      ...(batchId === undefined ? {} : { batchId }),
      priority,
      timeoutMs,
      maxAttempts: limits.maxAttempts,
      createdAtMs: clock.nowMs(),
      input,
      ...(callbackUrl === undefined ? {} : { callbackUrl }),
    });
  }

  /** Keeps them; the id of what stands there already where the request came before. */
  async function keep(
    tasks: readonly TaskRecord[],
    more: Pick<Submission, 'batch' | 'idempotency'>,
  ): Promise<string | undefined> {
    requireOpen();
    const outcome = await store.submit({
      tasks,
      ...more,
      maxQueuedPerOwner: limits.maxQueuedPerSubject,
      maxQueued: limits.maxQueued,
    });
    switch (outcome.type) {
      case 'kept':
        return undefined;
      case 'again':
        return outcome.answerId;
      case 'mismatch':
        throw new GatewayError(
          'unprocessable',
          'This Idempotency-Key was used for another request. Use a new one.',
        );
      case 'full':
        throw full(outcome.by);
    }
  }

  /** Whether an answer of the store that was lost said yes. `undefined`: nobody can say. */
  async function isKept(answerId: string): Promise<boolean | undefined> {
    try {
      const isTask = answerId.startsWith('task_');
      return (await (isTask ? store.get(answerId) : store.getBatch(answerId))) !== undefined;
    } catch {
      // The store is still away. The files stay: they go with the task, or for their age.
      return undefined;
    }
  }

  /** Keeps them, or drops the files; the same as {@link keep}. */
  async function keepOrDiscard(
    answerId: string,
    drafts: readonly TaskDraft[],
    tasks: readonly TaskRecord[],
    more: Pick<Submission, 'batch' | 'idempotency'>,
  ): Promise<string | undefined> {
    let earlier: string | undefined;
    try {
      earlier = await keep(tasks, more);
    } catch (thrown) {
      const isRefusal = thrown instanceof GatewayError && REFUSALS.has(thrown.code);
      const kept = isRefusal ? false : await isKept(answerId);
      if (kept === true) return undefined;
      if (kept === false) await discard(drafts);
      throw thrown;
    }
    if (earlier !== undefined) await discard(drafts);
    return earlier;
  }

  async function discard(drafts: readonly TaskDraft[]): Promise<void> {
    if (drafts.every(({ input }) => input.files.length === 0)) return;
    try {
      await inputs.discard(drafts);
    } catch (err) {
      // A store of files forgets what is old by itself.
      logger.warn({ drafts: drafts.length, err }, 'files of refused tasks could not be dropped');
    }
  }

  /** Nobody waits for the queue: the tasks are kept. */
  function tell(tasks: readonly TaskRecord[]): void {
    const counts = new Map<string, number>();
    for (const { spec } of tasks) counts.set(spec.type, (counts.get(spec.type) ?? 0) + 1);
    for (const [type, count] of counts) {
      ports.accepted(type, count);
      void offer(type, count);
    }
  }

  async function offer(type: string, count: number): Promise<void> {
    try {
      await ports.queue.offer(type, count);
    } catch (err) {
      // The keeper offers what waits.
      logger.warn({ type, count, err }, 'accepted tasks could not be offered');
    }
  }

  /** Entries whose engine is there; the others become errors, and lose their files. */
  async function judge(entries: readonly DraftEntry[]): Promise<DraftEntry[]> {
    const refused: TaskDraft[] = [];
    const refusals = new Map<string, GatewayError | undefined>();
    const judged: DraftEntry[] = [];
    for (const entry of entries) {
      if ('error' in entry) {
        judged.push(entry);
        continue;
      }
      const { type } = entry.draft;
      if (!refusals.has(type)) refusals.set(type, await refusalOf(type));
      const refusal = refusals.get(type);
      if (refusal === undefined) {
        judged.push(entry);
      } else {
        refused.push(entry.draft);
        judged.push({ error: { code: refusal.code, message: refusal.message } });
      }
    }
    await discard(refused);
    return judged;
  }

  async function refusalOf(type: string): Promise<GatewayError | undefined> {
    try {
      await ports.engines.require(type);
      return undefined;
    } catch (thrown) {
      if (thrown instanceof GatewayError) return thrown;
      throw thrown;
    }
  }

  async function accept(
    owner: string,
    key: string | undefined,
    draft: TaskDraft,
    givenId?: string,
  ): Promise<Accepted<TaskRecord>> {
    const record = recordOf(owner, draft, givenId === undefined ? {} : { id: givenId });
    const { id, type } = record.spec;
    const earlier = await keepOrDiscard(id, [draft], [record], {
      ...idempotencyOf(owner, key, () => `${type}:${draft.fingerprint}`, id),
    });
    if (earlier === undefined) {
      tell([record]);
      return { kept: record, replayed: false };
    }
    const kept = await store.get(earlier);
    if (kept === undefined) throw answerGone();
    return { kept, replayed: true };
  }

  /** The task that has the id already. */
  async function known(id: string, owner: string, type: string): Promise<TaskRecord | undefined> {
    if (kindOf(id) !== 'task') throw new TypeError('The id of a draft is one of newId.');
    const record = await store.get(id);
    if (record === undefined) return undefined;
    if (record.spec.owner === owner && record.spec.type === type) return record;
    throw new GatewayError('conflict', 'Another task has this id.');
  }

  return {
    async submit(type, { owner, idempotencyKey, inbound }) {
      const key = readIdempotencyKey(idempotencyKey);
      requireOpen();
      await ports.engines.require(type);
      return await accept(owner, key, await inputs.readTask(type, inbound));
    },
    async submitDraft(owner, draft, { idempotencyKey = null, id } = {}) {
      const key = readIdempotencyKey(idempotencyKey);
      requireOpen();
      // Kept before: neither the limits nor an engine that is gone since then concern it.
      const before = id === undefined ? undefined : await known(id, owner, draft.type);
      if (before !== undefined) return { kept: before, replayed: true };
      const manifest = await ports.engines.manifestFor(draft.type);
      const params = manifest.params.safeParse(draft.input.params);
      if (!params.success) {
        await discard([draft]);
        throw requestFaults(faultsOf(params.error));
      }
      const checked = { ...draft, input: { ...draft.input, params: params.data } };
      return await accept(owner, key, checked, id);
    },
    async submitBatch({ owner, idempotencyKey, inbound }) {
      const key = readIdempotencyKey(idempotencyKey);
      requireOpen();
      const read = await inputs.readBatch(inbound);
      const id = newId('batch');
      const drafts: TaskDraft[] = [];
      const tasks: TaskRecord[] = [];
      const kept = (await judge(read.entries)).map((entry): BatchEntry => {
        if ('error' in entry) return entry;
        const record = recordOf(owner, entry.draft, { batchId: id });
        drafts.push(entry.draft);
        tasks.push(record);
        return { taskId: record.spec.id };
      });
      const batch: BatchRecord = { id, owner, createdAtMs: clock.nowMs(), entries: kept };
      const earlier = await keepOrDiscard(id, drafts, tasks, {
        batch,
        ...idempotencyOf(owner, key, () => `batch:${read.fingerprint}`, id),
      });
      if (earlier === undefined) {
        tell(tasks);
        return { kept: batch, replayed: false, tasks };
      }
      const before = await store.getBatch(earlier);
      if (before === undefined) throw answerGone();
      return { kept: before, replayed: true };
    },
    close() {
      isClosed = true;
    },
  };
}

/** Codes by which this file itself refuses: what they refuse is not kept. */
const REFUSALS: ReadonlySet<string> = new Set(['unprocessable', 'rate_limited']);

/** What was asked is hashed only where there is a key. */
function idempotencyOf(
  owner: string,
  key: string | undefined,
  fingerprint: () => string,
  answerId: string,
): Pick<Submission, 'idempotency'> {
  if (key === undefined) return {};
  return { idempotency: { owner, key, fingerprint: fingerprint(), answerId } };
}

function full(by: 'owner' | 'all'): GatewayError {
  return new GatewayError(
    'rate_limited',
    by === 'owner'
      ? 'You have as many tasks waiting as you may have. Try again later.'
      : 'As many tasks wait as this gateway may keep. Try again later.',
    { details: { retryAfterSeconds: FULL_RETRY_SECONDS } },
  );
}

function answerGone(): GatewayError {
  return new GatewayError('expired', 'What this Idempotency-Key stands for is forgotten.');
}
