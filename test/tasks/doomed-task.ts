/** Tasks that tell where they run, so that a test can take that away from them. */

import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { attemptsFile } from '../../origin/src/testing/test-engine.ts';
import type { Fields, TaskCaller } from './task-caller.ts';
import type { TaskNode } from './task-node.ts';

/** All processes of a node are gone so soon after it, in ms. */
export const ORPHAN_LIMIT_MS = 2_000;

/** A task that is being done. */
export interface RunningTask {
  readonly id: string;
  /** Counts its attempts. */
  readonly key: string;
  /** Process of its engine. */
  readonly enginePid: number;
  /** Process of a program that the engine has started. */
  readonly programPid: number;
}

/** Submits a task and waits until its engine has begun. `key` counts its attempts. */
export async function beginTask(caller: TaskCaller, fields: Fields): Promise<RunningTask> {
  const key = randomUUID();
  const id = await caller.accept({ ...fields, key, startProgram: true });
  const { events } = await caller.read(id, {
    query: { format: 'json' },
    until: (seen) => seen.some(({ data }) => data.includes('"delta"')),
  });
  const told = events.map(({ data }) => JSON.parse(data) as { type: string; text?: string });
  const text = told.find(({ type }) => type === 'delta')?.text ?? '';
  const [enginePid, programPid] = text.split(' ').map(Number);
  if (enginePid === undefined || programPid === undefined) throw new Error(`it told "${text}"`);
  return { id, key, enginePid, programPid };
}

/** Texts of the test engine's `parts`, of which each takes {@link PART_MS}. */
export const PARTS = ['one ', 'two ', 'three ', 'four ', 'five '];

/** Longer than the pause between two checkpoints that are kept. */
const PART_MS = 400;

/** Begins a task that is done in {@link PARTS}, and waits until it has shown three. */
export async function beginParts(caller: TaskCaller): Promise<RunningTask> {
  const task = await beginTask(caller, { parts: { texts: PARTS, pauseMs: PART_MS } });
  await caller.read(task.id, {
    query: { format: 'json' },
    until: (seen) => seen.some(({ data }) => data.includes('three')),
  });
  return task;
}

/** The node that runs it, and the other one. */
export function runnerOf(
  { enginePid }: RunningTask,
  nodes: readonly TaskNode[],
): readonly [runner: TaskNode, other: TaskNode] {
  const runner = nodes.find((node) => node.processes().includes(enginePid));
  const other = nodes.find((node) => node !== runner);
  if (runner === undefined || other === undefined) throw new Error('no node runs it');
  return [runner, other];
}

/** Waits until a condition holds and says how long that took, in ms. */
export async function msUntil(
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<number> {
  const fromMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - fromMs > timeoutMs) throw new Error(`not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - fromMs;
}

/** True while a process is there, and no zombie. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
  } catch {
    // Gone.
    return false;
  }
}

/** Attempts that engines have begun, counted or not. */
export function attemptsOf(key: string): number {
  return statSync(attemptsFile(key)).size;
}
