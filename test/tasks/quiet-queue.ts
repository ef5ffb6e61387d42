/** The numbers of a queue in which nothing goes on. */

import type { TaskCaller } from './task-caller.ts';

/** What `GET /api/v1/queue/status` says. */
export interface QueueStatus {
  readonly queue: string;
  readonly queued: number;
  readonly delayed: number;
  readonly running: number;
  readonly succeeded: number;
  readonly nodes: number;
  readonly types: Readonly<Record<string, { readonly running: number }>>;
}

/** How long tasks of other tests may go on, in ms. */
const QUIET_TIMEOUT_MS = 20_000;

/** Reads the numbers. */
export async function queueStatus(caller: TaskCaller): Promise<QueueStatus> {
  return (await caller.ask<QueueStatus>('GET', '/api/v1/queue/status')).body;
}

/** The numbers once nothing waits or runs any more. */
export async function quietQueue(caller: TaskCaller): Promise<QueueStatus> {
  const untilMs = Date.now() + QUIET_TIMEOUT_MS;
  for (;;) {
    const status = await queueStatus(caller);
    if (status.queued + status.delayed + status.running === 0) return status;
    if (Date.now() > untilMs) throw new Error(`it stayed ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
