/** Plays one random task on nodes that come and go. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskView } from '@headwater/shared/tasks/task-view';
import type { CallbackReceiver } from '../hosts/callback-receiver.ts';
import { endsOf, type Schedule } from './random-task.ts';
import { type Answer, isOver, type TaskCaller, taskCaller } from './task-caller.ts';
import type { TaskNode } from './task-node.ts';

/** Nodes that can be killed and replaced. */
export interface MortalNodes {
  /** Those that live now. */
  live(): readonly TaskNode[];
  /** Kills one of them as a power cut would, and starts another one in its place. */
  replace(): Promise<void>;
  close(): Promise<void>;
}

/** Where schedules are played. */
export interface Theatre {
  readonly name: string;
  readonly nodes: MortalNodes;
  readonly receiver: CallbackReceiver;
  /** Processes of engines that have done a task. */
  readonly worked: Set<number>;
  /** Callbacks whose first attempt a killed node had begun: kept, and due when its claim ends. */
  readonly claimed: Set<string>;
}

/** Callers that the schedules belong to. */
const CALLERS = 5;

/** Time in which a task has to be over, in ms: a node that dies costs 5 s of it. */
const TASK_MS = 40_000;

/** Time in which a callback comes that no killed node had claimed, in ms. */
const CALLBACK_MS = 10_000;

/** Pause before a node is asked again, in ms. */
const RETRY_MS = 100;

/** Longest wait of a request for the end, in seconds: a node that is killed answers none of them. */
const WAIT = { prefer: 'wait=5' };

/** Tells the attempts of this run from those of the one before. */
const RUN = process.pid;

/** Plays the n-th schedule and returns what was wrong: nothing, in a good run. */
export async function playTask(
  theatre: Theatre,
  n: number,
  schedule: Schedule,
): Promise<readonly string[]> {
  const name = `${theatre.name} ${n}`;
  const ask = asker(theatre, `chaos-${n % CALLERS}`, name);
  await sleep(schedule.delayMs);
  const body = {
    ...schedule.deed.fields,
    key: `${name.replaceAll(' ', '-')}-${RUN}`,
    echo: name,
    priority: schedule.priority,
    callbackUrl: theatre.receiver.urlFor(name),
  };
  const submit = () => ask((caller) => caller.submit(body, { 'idempotency-key': name }));
  const accepted = await many(schedule.copies, submit);
  const ids = new Set(accepted.map(({ task_id }) => task_id));
  const [id = ''] = ids;
  if (ids.size !== 1) return [`${ids.size} tasks of one request`];

  if (schedule.cancelMs !== undefined) {
    await sleep(schedule.cancelMs);
    await many(schedule.cancels, () => ask((caller) => caller.cancel(id)));
  }
  const path = `/api/v1/tasks/${id}`;
  const look = () => ask((caller) => caller.ask<TaskView>('GET', path, undefined, WAIT));
  const untilMs = Date.now() + TASK_MS;
  let task = await look();
  while (!isOver(task) && Date.now() < untilMs) task = await look();
  if (!isOver(task)) return [`stays ${task.status}: ${JSON.stringify(task.error)}`];
  const { pid } = (task.result ?? {}) as { pid?: number };
  if (pid !== undefined) theatre.worked.add(pid);
  const wasTold = await cameInTime(theatre, name);
  const later = await look();
  const wrong = [...faultsOfEnd(schedule, name, task), ...faultsOfChange(task, later)];
  if (wasTold) return [...wrong, ...faultsOfCallback(theatre, name, task)];
  theatre.claimed.add(name);
  const isKept = later.callback?.status === 'pending';
  return isKept ? wrong : [...wrong, `no callback: ${JSON.stringify(later.callback)}`];
}

/** Asks until a node answers, whichever lives: every call made here may be made again. */
function asker({ nodes }: Theatre, subject: string, name: string) {
  return async <Body>(act: (caller: TaskCaller) => Promise<Answer<Body>>): Promise<Body> => {
    const untilMs = Date.now() + TASK_MS;
    for (let turn = 0; Date.now() < untilMs; turn += 1) {
      const live = nodes.live();
      const node = live[turn % live.length];
      try {
        if (node !== undefined) {
          const { status, body } = await act(await taskCaller(node.baseUrl, subject));
          if (status < 400) return body;
          if (status < 500) throw new Error(`${name}: ${status} ${JSON.stringify(body)}`);
        }
      } catch (thrown) {
        // A node that was killed under the call.
        if (!(thrown instanceof TypeError)) throw thrown;
      }
      await sleep(RETRY_MS);
    }
    throw new Error(`${name}: nobody answers`);
  };
}

function many<T>(count: number, act: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, act));
}

function faultsOfEnd(schedule: Schedule, name: string, task: TaskView): string[] {
  const { status, error, result } = task;
  if (!endsOf(schedule).includes(status)) return [`ended ${status}: ${JSON.stringify(error)}`];
  const { echo } = (result ?? {}) as { echo?: unknown };
  return status === 'succeeded' && echo !== name ? [`has the result of ${String(echo)}`] : [];
}

async function cameInTime({ receiver }: Theatre, name: string): Promise<boolean> {
  const untilMs = Date.now() + CALLBACK_MS;
  while (receiver.received(name).length === 0) {
    if (Date.now() > untilMs) return false;
    await sleep(RETRY_MS);
  }
  return true;
}

function faultsOfCallback({ receiver }: Theatre, name: string, task: TaskView): string[] {
  const body = receiver.received(name)[0]?.body;
  const wrong: string[] = [];
  const { callback: _callback, ...shown } = task;
  if (!isEqual(body, shown))
    wrong.push(`told ${JSON.stringify(body)}, not ${JSON.stringify(shown)}`);
  const received = receiver.received(name);
  const ids = new Set(received.map(({ headers }) => headers['webhook-id']));
  if (ids.size !== 1) wrong.push(`${ids.size} callbacks`);
  if (new Set(received.map(({ raw }) => raw)).size !== 1) wrong.push('callbacks that differ');
  return wrong;
}

/** Nothing but the delivery of its callback changes after the end. */
function faultsOfChange(before: TaskView, after: TaskView): string[] {
  const { callback: _before, ...was } = before;
  const { callback: _after, ...is } = after;
  return isEqual(was, is) ? [] : [`changed to ${JSON.stringify(is)} after its end`];
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
