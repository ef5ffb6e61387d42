/** Keeps a script that is written in many calls to its length: what is left is spread anew each time. */

import type { LengthWindow } from './length-gate.ts';

/** How far a script may be from its target, as a share of it. */
export const TOLERANCE = 0.1;

/** A call that is not the last one is long enough with this share of its words. */
const ENOUGH = 0.85;

/** It is ended at the first end of a sentence past its words; at the latest here. */
const OVERRUN = 1.25;
const OVERRUN_WORDS = 30;

/** What the calls after it keep at least, of their words: the ending must not be left without room. */
const RESERVE = 0.6;

/** The window of the last call, as shares of the whole target; within {@link TOLERANCE} with room to spare. */
const LAST_ENOUGH = 0.905;
const LAST_LEAST = 0.93;
const LAST_STOP = 1.03;
const LAST_MOST = 1.09;

/** Most calls for each one planned, and beyond: a model that writes a sentence a call must cost little. */
const CALLS_A_PLANNED_ONE = 4;
const SPARE_CALLS = 10;

/** Calls without a word, in a row, after which the model is given up. */
export const MAX_EMPTY_CALLS = 3;

/** Where the writing is. */
export interface LengthState {
  /** Words of the whole script. */
  readonly target: number;
  /** Words the plan gives to this call and those after it, in their order. */
  readonly planned: readonly number[];
  /** Words that were there when this call began. */
  readonly before: number;
  /** Words that came of it so far. */
  readonly written: number;
}

/** What to ask for next. */
export interface LengthGoal {
  /** About so many words. */
  readonly words: number;
  readonly window: LengthWindow;
}

/** What this call has yet to give; `undefined` where it is long enough. */
export function nextGoal({
  target,
  planned,
  before,
  written,
}: LengthState): LengthGoal | undefined {
  const [own = 0, ...later] = planned;
  const rest = later.reduce((sum, words) => sum + words, 0);
  const left = target - before;
  if (later.length === 0) {
    const done = before + written;
    if (done >= Math.ceil(target * LAST_ENOUGH)) return undefined;
    return {
      words: Math.max(1, Math.round(target - done)),
      window: {
        least: Math.ceil(target * LAST_LEAST) - done,
        stopAt: Math.floor(target * LAST_STOP) - done,
        most: Math.floor(target * LAST_MOST) - done,
      },
    };
  }
  const share = (left * own) / (own + rest);
  if (written >= share * ENOUGH) return undefined;
  const mostOfAll = left - RESERVE * (left - share);
  const most = Math.min(share * OVERRUN + OVERRUN_WORDS, mostOfAll);
  return {
    words: Math.max(1, Math.round(share - written)),
    window: {
      least: share * ENOUGH - written,
      stopAt: share - written,
      most: Math.max(1, Math.floor(most - written)),
    },
  };
}

/** Most calls that a script may take, those after answers that were too short among them. */
export function mostCalls(plannedCalls: number): number {
  return CALLS_A_PLANNED_ONE * plannedCalls + SPARE_CALLS;
}

/** True where a script is as long as it was to be. */
export function isWithinTolerance(words: number, target: number): boolean {
  return Math.abs(words - target) <= TOLERANCE * target;
}
