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

/** What `COUNTS` answers for a type. */
type CountsRow = readonly [string, number, number, number, number, number, number, number];

/** The arguments of one submission. */
export function encodeSubmission(submission: Submission): readonly string[] {
  const { tasks, batch, idempotency } = submission;
  const args = [
    idempotency?.answerId ?? '',
    batch?.owner ?? tasks[0]?.spec.owner ?? '',
    String(submission.maxQueuedPerOwner),
    String(submission.maxQueued),
    batch?.id ?? '',
    batch === undefined ? '' : JSON.stringify(batch),
    String(batch?.createdAtMs ?? ''),
    idempotency?.key ?? '',
    idempotency?.fingerprint ?? '',
    String(tasks.length),
  ];
  for (const { spec, state } of tasks) {
    args.push(spec.id, spec.type, rankOf(spec), laterMs(spec, state));
    args.push(JSON.stringify(spec), JSON.stringify(state));
  }
  return args;
}

/** The arguments of one change, made by `by`; `name` is no other change's. */
export function encodeChange(
  { before, state, events, checkpoint }: TaskChange,
  by: string,
  name: string,
): readonly string[] {
  const { spec } = before;
  const ends = isOver(state.status);
  return [
    name,
    by,
    spec.id,
    spec.type,
    spec.owner,
    rankOf(spec),
    spec.batchId ?? '',
    String(before.state.version),
    isOver(before.state.status) ? '1' : '0',
    state.status,
    JSON.stringify(state),
    String(state.version),
    String(state.epoch),
    state.node ?? '',
    laterMs(spec, state),
    ends ? String(state.finishedAtMs ?? spec.createdAtMs) : '',
    state.callback === 'owed' ? '1' : '0',
    checkpointWord(before.state, ends, checkpoint),
    String(events.length),
    ...events.map((event) => JSON.stringify(event)),
  ];
}

/** No JSON, so that it is no checkpoint. */
export const DROP_CHECKPOINT = '-';

function checkpointWord({ hasCheckpoint }: TaskState, ends: boolean, checkpoint = ''): string {
  if (!ends) return checkpoint;
  return hasCheckpoint ? DROP_CHECKPOINT : '';
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

/** A record, of its two halves. */
export function decodeRecord(spec: string, state: string): TaskRecord {
  return { spec: JSON.parse(spec) as TaskSpec, state: JSON.parse(state) as TaskState };
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
