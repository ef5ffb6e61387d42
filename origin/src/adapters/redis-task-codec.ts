/** What the task scripts take and give, as strings. */

import {
  AGE_STEP_MS,
  type Submission,
  type SubmitOutcome,
  type TaskChange,
  type TaskCounts,
} from '@headwater/shared/tasks/ports';
import {
  isOver,
  type TaskRecord,
  type TaskSpec,
  type TaskState,
} from '@headwater/shared/tasks/task';
import { newTask } from '@headwater/shared/tasks/task-machine';

/** What `COUNTS` answers for a type. */
type CountsRow = readonly [string, number, number, number, number, number, number, number];

/** What the submit script reads of a submission; what does not apply is left out. */
interface SubmissionHead {
  readonly owner: string;
  /** Most queued tasks of the owner, and of all. */
  readonly mostOwner: number;
  readonly mostAll: number;
  readonly tasks: readonly TaskHead[];
  /** Id and time of the batch, whose JSON follows. */
  readonly batch?: string;
  readonly batchMs?: number;
  /** Of its idempotency: the key, what is equal for equal requests, and the id that is answered. */
  readonly key?: string;
  readonly fingerprint?: string;
  readonly answer?: string;
}

/** What the submit script reads of a task. */
interface TaskHead {
  readonly id: string;
  readonly type: string;
  readonly rank: string;
  readonly laterMs: string;
  /** A state follows the spec: it is not that of a new task. */
  readonly hasState?: true;
}

/** The arguments of one submission. */
export function encodeSubmission(submission: Submission): readonly string[] {
  const { tasks, batch, idempotency } = submission;
  const bodies: string[] = batch === undefined ? [] : [JSON.stringify(batch)];
  const heads = tasks.map(({ spec, state }): TaskHead => {
    const hasState = !isNew(spec, state);
    bodies.push(JSON.stringify(spec));
    if (hasState) bodies.push(JSON.stringify(state));
    return {
      id: spec.id,
      type: spec.type,
      rank: rankOf(spec),
      laterMs: laterMs(spec, state),
      ...(hasState ? { hasState } : {}),
    };
  });
  const head: SubmissionHead = {
    owner: batch?.owner ?? tasks[0]?.spec.owner ?? '',
    mostOwner: submission.maxQueuedPerOwner,
    mostAll: submission.maxQueued,
    tasks: heads,
    ...(batch === undefined ? {} : { batch: batch.id, batchMs: batch.createdAtMs }),
    ...(idempotency === undefined ? {} : keyOf(idempotency)),
  };
  return [JSON.stringify(head), ...bodies];
}

function keyOf({ key, fingerprint, answerId }: NonNullable<Submission['idempotency']>) {
  return { key, fingerprint, answer: answerId };
}

/** What the commit script reads of a change; what does not apply is left out. */
interface ChangeHead {
  /** No other change's. */
  readonly name: string;
  /** Who asks. */
  readonly by: string;
  readonly id: string;
  readonly type: string;
  readonly owner: string;
  readonly status: TaskState['status'];
  /** Version that it changes. */
  readonly before: number;
  readonly version: number;
  readonly epoch: number;
  /** How many follow. */
  readonly events: number;
  readonly wasOver?: true;
  readonly node?: string | undefined;
  /** Its place in the line, and the time before which it is not in it or `''`; of a queued task. */
  readonly rank?: string;
  readonly laterMs?: string;
  /** Of a task that is over. */
  readonly endMs?: number;
  /** A callback is owed. */
  readonly owed?: true;
  /** A checkpoint follows. */
  readonly keeps?: true;
  /** The checkpoint goes. */
  readonly drops?: true;
}

/** The arguments of one change, made by `by`; `name` is no other change's. */
export function encodeChange(
  { before, state, events, checkpoint }: TaskChange,
  by: string,
  name: string,
): readonly string[] {
  const { spec } = before;
  const ends = isOver(state.status);
  const keeps = !ends && checkpoint !== undefined;
  const head: ChangeHead = {
    name,
    by,
    id: spec.id,
    type: spec.type,
    owner: spec.owner,
    status: state.status,
    before: before.state.version,
    version: state.version,
    epoch: state.epoch,
    events: events.length,
    node: state.node,
    ...(isOver(before.state.status) ? { wasOver: true } : {}),
    ...(state.status === 'queued' ? { rank: rankOf(spec), laterMs: laterMs(spec, state) } : {}),
    ...(ends ? { endMs: state.finishedAtMs ?? spec.createdAtMs } : {}),
    ...(state.callback === 'owed' ? { owed: true } : {}),
    ...(keeps ? { keeps } : {}),
    ...(ends && before.state.hasCheckpoint ? { drops: true } : {}),
  };
  const args = [JSON.stringify(head), JSON.stringify(state)];
  if (keeps) args.push(checkpoint);
  for (const event of events) args.push(JSON.stringify(event));
  return args;
}

/** Length of all arguments together. */
export function lengthOf(args: readonly string[]): number {
  let length = 0;
  for (const arg of args) length += arg.length;
  return length;
}

/** Place in its owner's line: the lowest is next. */
function rankOf({ createdAtMs, priority }: TaskSpec): string {
  return String(createdAtMs - (priority - 1) * AGE_STEP_MS);
}

/** A task that is due when it is accepted waits in the line; any other until a claim finds it due. */
function laterMs(spec: TaskSpec, state: TaskState): string {
  return state.dueAtMs > spec.createdAtMs ? String(state.dueAtMs) : '';
}

/** What became of a submission, of the script's word. */
export function decodeOutcome(word: string): SubmitOutcome {
  if (word === 'kept' || word === 'mismatch') return { type: word };
  if (word === 'owner' || word === 'all') return { type: 'full', by: word };
  return { type: 'again', answerId: word.slice('again '.length) };
}

/** A task in this state needs none kept: it follows from what was asked for. */
function isNew(spec: TaskSpec, { version, dueAtMs }: TaskState): boolean {
  return version === 1 && dueAtMs === spec.createdAtMs;
}

/** A record, of its two halves; the second is empty for a task that nobody has changed. */
export function decodeRecord(specJson: string, stateJson: string | null): TaskRecord {
  const spec = JSON.parse(specJson) as TaskSpec;
  return stateJson ? { spec, state: JSON.parse(stateJson) as TaskState } : newTask(spec);
}

/** Records, of specs and states in turn. */
export function decodeRecords(answer: unknown): TaskRecord[] {
  const flat = answer as readonly string[];
  const records: TaskRecord[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    records.push(decodeRecord(flat[at] ?? '', flat[at + 1] ?? ''));
  }
  return records;
}

/** The numbers of each type. */
export function decodeCounts(answer: unknown): ReadonlyMap<string, TaskCounts> {
  return new Map(
    (answer as readonly CountsRow[]).map(
      ([type, queued, delayed, running, succeeded, failed, canceled, timedOut]) => [
        type,
        { queued, delayed, running, succeeded, failed, canceled, timedOut },
      ],
    ),
  );
}
