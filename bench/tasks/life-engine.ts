/**
 * An engine whose work can be watched from outside: its file says when each attempt began, and in
 * which process, and, while it burns CPU, that it still does.
 */

import { appendFileSync, closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, EngineManifest } from '../../origin/src/engines/engine-manifest.ts';
import { z } from './origin-packages.ts';

/** A sign of life is given this often, in ms: as exact as a stop is measured. */
export const SIGN_MS = 2;

const params = z.strictObject({
  /** Path of the file; the sign of life is beside it. */
  life: z.string(),
  /** How long the first attempt takes; a later one ends at once. */
  workMs: z.int().min(0),
  /** Whether it keeps the thread busy meanwhile. */
  burn: z.boolean(),
});

export const manifest: EngineManifest = {
  type: 'life',
  files: [],
  params: params as unknown as EngineManifest['params'],
  availability: () => ({ live: true }),
};

/** An attempt, as the file tells it. */
export interface Attempt {
  readonly pid: number;
  /** When it began, in ms since 1970. */
  readonly beganMs: number;
}

/** Makes the engine. */
export async function createEngine(): Promise<Engine> {
  return {
    async run(job) {
      const { life, workMs, burn } = params.parse(job.params);
      appendFileSync(life, `${process.pid} ${Date.now()}\n`);
      if (readAttempts(life).length > 1) return null;
      if (burn) burnWithSigns(signOf(life), workMs);
      else await sleep(workMs, undefined, { signal: job.signal });
      return null;
    },
  };
}

function burnWithSigns(path: string, workMs: number): void {
  const file = openSync(path, 'w');
  const untilMs = Date.now() + workMs;
  let signedMs = 0;
  for (let nowMs = Date.now(); nowMs < untilMs; nowMs = Date.now()) {
    if (nowMs - signedMs < SIGN_MS) continue;
    writeSync(file, String(nowMs), 0);
    signedMs = nowMs;
  }
  closeSync(file);
}

function signOf(life: string): string {
  return `${life}.sign`;
}

/** The attempts so far; none where the file is not there yet. */
export function readAttempts(life: string): Attempt[] {
  return readOr(life)
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [pid, beganMs] = line.split(' ');
      return { pid: Number(pid), beganMs: Number(beganMs) };
    });
}

/** When it last gave a sign of life, in ms since 1970; NaN where it gave none. */
export function readSign(life: string): number {
  return Number(readOr(signOf(life)) || Number.NaN);
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It is not there yet.
    return '';
  }
}
