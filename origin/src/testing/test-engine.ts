/** An engine that does, and fails, as its task says. Tests load it by `TASK_ENGINES`. */

import { spawn } from 'node:child_process';
import { appendFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR_TABLE, type ErrorCode, GatewayError } from '@headwater/shared/protocol/errors';
import type { Json } from '@headwater/shared/tasks/task';
import * as z from 'zod';
import type {
  Engine,
  EngineEnvironment,
  EngineJob,
  EngineManifest,
} from '../engines/engine-manifest.ts';

const MIB = 1024 * 1024;

const codes = Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]];

/** What a task of type `test` may ask for, in the order it is done. Nothing: a no-op. */
const params = z
  .strictObject({
    /** Names the count of attempts for `times`; in a temp file, so that it outlives processes. */
    key: z
      .string()
      .regex(/^[\w-]{1,80}$/)
      .optional(),
    /** How many of the first attempts meet `crash` and `hang`. Default: all. */
    times: z.int().min(0).optional(),
    /** Prints so many lines of 100 characters, to both outputs. */
    printLines: z.int().min(0).optional(),
    /** Starts a program that would outlive it; the first text is the engine's pid and the program's. */
    startProgram: z.boolean().optional(),
    /** Texts, told one by one. */
    text: z.array(z.string()).optional(),
    /**
     * Texts that are told one by one, each kept as done with a pause after it, in ms. What the attempt
     * before had done is told at once. Crashes after so many, where it came to them by itself.
     */
    parts: z
      .strictObject({
        texts: z.array(z.string()),
        pauseMs: z.int().min(0).default(20),
        crashAfter: z.int().min(1).optional(),
      })
      .optional(),
    /** Keeps a checkpoint of so many characters, and goes on where that is refused. */
    checkpointChars: z.int().min(0).optional(),
    progressSteps: z.int().min(0).max(100_000).optional(),
    /** Takes memory, and keeps it until the attempt is over. */
    allocateMb: z.int().min(0).optional(),
    /** Takes it on JavaScript's heap. */
    allocateHeapMb: z.int().min(0).optional(),
    sleepMs: z.int().min(0).optional(),
    /** Waits for the signal no more than for anything else. */
    ignoreStop: z.boolean().optional(),
    /** Keeps the thread busy. */
    burnMs: z.int().min(0).optional(),
    /** Keeps the thread busy for ever. */
    hang: z.boolean().optional(),
    crash: z.enum(['exit', 'abort', 'sigkill', 'throw-later']).optional(),
    fail: z
      .strictObject({
        /** `none` throws what is no GatewayError, with a secret in its message. */
        code: z.enum([...codes, 'none']),
        /** How many of the first attempts fail. Default: all. */
        times: z.int().min(0).optional(),
        retryAfterSeconds: z.number().optional(),
      })
      .optional(),
    /** Decodes the first image, and gives its size. */
    decode: z.boolean().optional(),
    /** Length of a text in the result. */
    resultBytes: z.int().min(0).optional(),
    /** Given back. */
    echo: z.json().optional(),
  })
  .refine(
    ({ key, times, fail }) =>
      key !== undefined || (times === undefined && fail?.times === undefined),
    { path: ['key'], message: 'is needed to count attempts.' },
  );

type TestParams = z.output<typeof params>;

export const manifest: EngineManifest = {
  type: 'test',
  files: [
    { field: 'image', kind: 'image', min: 0, max: 4 },
    { field: 'document', kind: 'document', min: 0, max: 4 },
  ],
  params: params as unknown as EngineManifest['params'],
  availability: () => ({ live: true }),
};

/** Makes the engine. */
export async function createEngine({ tasks }: EngineEnvironment): Promise<Engine> {
  let runs = 0;
  return {
    async run(job) {
      runs += 1;
      const result = await act(job, job.params as unknown as TestParams, tasks.inputs.maxPixels);
      return { pid: process.pid, runs, ...result };
    },
  };
}

async function act(
  job: EngineJob,
  asked: TestParams,
  maxPixels: number,
): Promise<{ readonly [name: string]: Json }> {
  const attempt = countAttempt(asked.key);
  const meetsFault = attempt <= (asked.times ?? Number.POSITIVE_INFINITY);
  print(asked.printLines ?? 0);
  if (asked.startProgram) {
    const program = spawn('sleep', ['600'], { stdio: 'ignore' });
    job.text(`${process.pid} ${program.pid}`);
  }
  for (const text of asked.text ?? []) {
    job.text(text);
    await sleep(1);
  }
  const parts = asked.parts === undefined ? undefined : await workInParts(job, asked.parts);
  if (asked.checkpointChars !== undefined) keepLong(job, asked.checkpointChars);
  const steps = asked.progressSteps ?? 0;
  for (let done = 1; done <= steps; done += 1) {
    job.progress(done / steps, `step ${done}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const held = allocate(asked.allocateMb ?? 0);
  const heap = allocateHeap(asked.allocateHeapMb ?? 0);
  const signal = asked.ignoreStop ? undefined : job.signal;
  if (asked.sleepMs !== undefined) await sleep(asked.sleepMs, undefined, signal && { signal });
  burn(asked.burnMs ?? 0);
  if (asked.hang && meetsFault) burn(Number.POSITIVE_INFINITY);
  if (asked.crash !== undefined && meetsFault) await crash(asked.crash);
  if (asked.fail !== undefined && attempt <= (asked.fail.times ?? Number.POSITIVE_INFINITY)) {
    throw failure(asked.fail);
  }
  return {
    ...parts,
    ...(asked.decode ? await decode(job, maxPixels) : {}),
    ...(asked.resultBytes === undefined ? {} : { text: 'x'.repeat(asked.resultBytes) }),
    ...(asked.echo === undefined ? {} : { echo: asked.echo }),
    ...(job.files.length === 0 ? {} : { files: job.files.map(({ field }) => field) }),
    ...(held.length + heap.length === 0 ? {} : { held: held.length + heap.length }),
  };
}

/** Gives how many parts were done before this attempt. */
async function workInParts(
  job: EngineJob,
  { texts, pauseMs, crashAfter }: NonNullable<TestParams['parts']>,
): Promise<{ readonly doneBefore: number }> {
  const doneBefore = (job.checkpoint as { readonly done: number } | undefined)?.done ?? 0;
  job.text(texts.slice(0, doneBefore).join(''));
  for (const [at, text] of texts.entries()) {
    if (at < doneBefore) continue;
    job.text(text);
    job.keep({ done: at + 1 });
    await sleep(pauseMs, undefined, { signal: job.signal });
    if (at + 1 === crashAfter) await crash('sigkill');
  }
  return { doneBefore };
}

function keepLong(job: EngineJob, chars: number): void {
  try {
    job.keep('x'.repeat(chars));
  } catch {
    // An engine that does not care: the attempt must fail all the same.
  }
}

/** Where the attempts of a key are counted. */
export function attemptsFile(key: string): string {
  return join(tmpdir(), `headwater-test-engine-${key}`);
}

/** Attempts of a key, this one among them; 1 without a key. */
function countAttempt(key: string | undefined): number {
  if (key === undefined) return 1;
  const file = attemptsFile(key);
  appendFileSync(file, '.');
  return statSync(file).size;
}

function print(lines: number): void {
  for (let line = 0; line < lines; line += 1) {
    process.stdout.write(`${'o'.repeat(100)}\n`);
    process.stderr.write(`${'e'.repeat(100)}\n`);
  }
}

function allocate(mib: number): Uint8Array[] {
  // Written to: pages that nobody has touched are not resident.
  return Array.from({ length: mib }, () => new Uint8Array(MIB).fill(1));
}

function allocateHeap(mib: number): number[][] {
  return Array.from({ length: mib }, (_, row) =>
    Array.from({ length: MIB / 8 }, (_, at) => row + at + 0.5),
  );
}

function burn(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

async function crash(how: NonNullable<TestParams['crash']>): Promise<void> {
  switch (how) {
    case 'exit':
      return process.exit(3);
    case 'abort':
      return process.abort();
    case 'sigkill':
      process.kill(process.pid, 'SIGKILL');
      break;
    case 'throw-later':
      setImmediate(() => {
        throw new Error('secret-of-a-prompt');
      });
  }
  await new Promise(() => undefined);
}

function failure({ code, retryAfterSeconds }: NonNullable<TestParams['fail']>): Error {
  if (code === 'none') return new Error('secret-of-a-prompt');
  const details = retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds } };
  return new GatewayError(code, `The test engine was told to fail: ${code}.`, details);
}

async function decode(job: EngineJob, maxPixels: number) {
  const [file] = job.files;
  if (file === undefined) throw new GatewayError('validation_failed', 'There is no image.');
  // Native: no process but the one that decodes has it.
  const { default: sharp } = await import('sharp');
  try {
    const image = sharp(file.path, { limitInputPixels: maxPixels });
    const { info } = await image.raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height };
  } catch (cause) {
    throw new GatewayError('validation_failed', 'The image cannot be decoded.', { cause });
  }
}
