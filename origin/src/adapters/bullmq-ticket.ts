/** A BullMQ job that stands for calls of one type. */

import type { WorkOutcome } from '@headwater/shared/tasks/ports';
import { type Job, UnrecoverableError } from 'bullmq';

/** Most calls that one ticket stands for. */
export const MAX_CALLS = 64;

/** What a job carries; nothing where it stands for one call. */
export interface TicketData {
  readonly calls?: number;
}

/** A job that a worker has. */
export interface Ticket {
  readonly job: Job;
  /** It stands for several calls. */
  readonly isShared: boolean;
  /** Calls that are not begun. */
  readonly left: number;
  /** Some call was begun: it is no other node's any more. */
  readonly isBegun: boolean;
  /** No call is left or under way. */
  readonly isOver: boolean;
  begin(): void;
  /** A call is over. One that found nothing stands for the rest: what they were for is taken. */
  end(outcome: WorkOutcome | undefined): void;
  /** What the calls came to, for a board to show. */
  readonly result: WorkOutcome | readonly WorkOutcome[] | null;
  /** Set where a task failed, and names it. */
  readonly failure: Error | undefined;
}

/** Begins with a job that nobody has worked on. */
export function createTicket(job: Job): Ticket {
  const { calls = 1 } = job.data as TicketData;
  const outcomes: WorkOutcome[] = [];
  let left = calls;
  let running = 0;
  let isBegun = false;
  return {
    job,
    isShared: calls > 1,
    get left() {
      return left;
    },
    get isBegun() {
      return isBegun;
    },
    get isOver() {
      return left === 0 && running === 0;
    },
    begin() {
      isBegun = true;
      left -= 1;
      running += 1;
    },
    end(outcome) {
      running -= 1;
      if (outcome === undefined) left = 0;
      else outcomes.push(outcome);
    },
    get result() {
      const [first] = outcomes;
      return outcomes.length > 1 ? outcomes : (first ?? null);
    },
    get failure() {
      const failed = outcomes.filter(({ status }) => status === 'failed');
      if (failed.length === 0) return undefined;
      const reasons = failed.map(({ taskId, error }) => `${taskId}: ${error?.code ?? 'failed'}`);
      return new UnrecoverableError(reasons.join(', '));
    },
  };
}
