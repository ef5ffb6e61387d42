import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { StreamEvent } from '../stream/event.ts';
import { isFinal } from '../stream/event.ts';
import {
  createTaskCluster,
  type Mishaps,
  type ScriptedRun,
  type TaskCluster,
} from '../testing/task-cluster.ts';
import { createVirtualClock, type VirtualClock } from '../testing/virtual-clock.ts';
import { changeTask } from './change-task.ts';
import { createMemoryTaskStore } from './memory-task-store.ts';
import type { AttemptOutcome, TaskStore } from './ports.ts';
import { isOver, type TaskRecord, type TaskSpec } from './task.ts';

const TYPES = ['ocr', 'image-analysis'];

/** Longest time that the tasks of a schedule may take once nothing goes wrong any more, in s. */
const CALM_SECONDS = 120;

/** One thing that happens; numbers choose among what is there. */
type Happening =
  | { readonly type: 'submit'; readonly at: number; readonly spec: Partial<TaskSpec> }
  | { readonly type: 'cancel'; readonly at: number }
  | { readonly type: 'end'; readonly at: number; readonly outcome: AttemptOutcome['type'] }
  | { readonly type: 'tell'; readonly at: number; readonly progress: number }
  | { readonly type: 'add' }
  | { readonly type: 'kill' | 'freeze' | 'thaw'; readonly at: number }
  | { readonly type: 'stop'; readonly at: number; readonly graceMs: number }
  | { readonly type: 'refuse' | 'lose-answers'; readonly at: number }
  | { readonly type: 'heal' }
  | { readonly type: 'settle'; readonly turns: number }
  | { readonly type: 'wait'; readonly ms: number };

const at = fc.nat(7);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('submit' as const),
      at,
      spec: fc.record({
        type: fc.constantFrom(...TYPES),
        owner: fc.constantFrom('ada', 'bob'),
        maxAttempts: fc.integer({ min: 1, max: 3 }),
        priority: fc.integer({ min: 1, max: 10 }),
      }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('cancel' as const), at }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('end' as const),
      at,
      outcome: fc.constantFrom(
        'succeeded' as const,
        'succeeded' as const,
        'failed' as const,
        'crashed' as const,
        'timed-out' as const,
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('tell' as const),
      at,
      progress: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('kill', 'freeze', 'thaw' as const), at }),
  },
  { weight: 1, arbitrary: fc.constant<Happening>({ type: 'add' }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('stop' as const),
      at,
      graceMs: fc.constantFrom(0, 800, 10_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom('refuse', 'lose-answers' as const), at }),
  },
  { weight: 2, arbitrary: fc.constant<Happening>({ type: 'heal' }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('settle' as const), turns: fc.nat(12) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('wait' as const),
      ms: fc.constantFrom(10, 50, 250, 1_000, 3_000, 8_000),
    }),
  },
);

/** Cheaper than `expect` in a loop of a million steps. */
function claim(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}

async function settle(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await null;
}

/** Moves on in steps in which a node can do what it has to. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    await clock.advance(Math.min(250, left));
    await settle(40);
  }
}

/** Numbers in [0, 1) from a seed: mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A store that sees to it that an end stays what it is, and what readers are told of it. */
function watchEnds(store: TaskStore): TaskStore {
  const ends = new Map<string, TaskRecord['state']>();
  const told = new Map<string, StreamEvent[]>();
  const kept = new Map<string, string>();
  return {
    ...store,
    async checkpointOf(id) {
      const checkpoint = await store.checkpointOf(id);
      claim(checkpoint === kept.get(id), 'a checkpoint that is not the one kept last');
      return checkpoint;
    },
    async commit(changes, by) {
      const made = await store.commit(changes, by);
      for (const [index, { before, state, events, checkpoint }] of changes.entries()) {
        if (!made[index]) continue;
        const { id, maxAttempts } = before.spec;
        const end = ends.get(id);
        claim(end === undefined || state.status === end.status, 'an end that changed');
        claim(end === undefined || state.result === end.result, 'a result that was replaced');
        claim(state.attempts <= maxAttempts, 'more attempts than agreed');
        claim(state.version === before.state.version + 1, 'a version that is not the next one');
        if (checkpoint !== undefined) kept.set(id, checkpoint);
        if (isOver(state.status)) {
          ends.set(id, state);
          kept.delete(id);
        }
        const log = state.epoch === before.state.epoch ? (told.get(id) ?? []) : [];
        log.push(...events);
        told.set(id, log);
        const finals = log.filter(isFinal).length;
        claim(finals === (isOver(state.status) ? 1 : 0), 'not one final event for one end');
      }
      return made;
    },
  };
}

/** What a schedule does to the cluster. */
function createTroubles(seed: number, isCalm: () => boolean) {
  const random = createRandom(seed);
  const refusing = new Set<string>();
  const forgetful = new Set<string>();
  const mishaps: Mishaps = {
    call(node) {
      if (isCalm()) return 'works';
      if (refusing.has(node)) return 'refused';
      return forgetful.has(node) && random() < 0.5 ? 'answer lost' : 'works';
    },
    offer() {
      if (isCalm()) return 'works';
      const luck = random();
      if (luck < 0.15) return 'lost';
      return luck < 0.3 ? 'twice' : 'works';
    },
    isWordLost: () => !isCalm() && random() < 0.3,
  };
  return { random, refusing, forgetful, mishaps };
}

function outcomeOf(type: AttemptOutcome['type'], result: string): AttemptOutcome {
  switch (type) {
    case 'succeeded':
      return { type, result };
    case 'failed':
      return { type, error: { code: 'unavailable', message: 'Busy.' } };
    case 'crashed':
      return { type, reason: 'The engine process ended.' };
    default:
      return { type };
  }
}

/** Runs a schedule, then lets everything go well, and checks what came of it. */
async function play(seed: number, happenings: readonly Happening[]): Promise<void> {
  let isCalm = false;
  const clock = createVirtualClock();
  const store = watchEnds(createMemoryTaskStore());
  const troubles = createTroubles(seed, () => isCalm);
  const { random, refusing, forgetful, mishaps } = troubles;
  const startWaitMs = seed % 2 === 0 ? 0 : 5;
  const cluster = createTaskCluster({ store, clock, types: TYPES, random, mishaps, startWaitMs });
  const ids: string[] = [];
  const results = new Map<string, Set<string>>();
  const stops: Promise<void>[] = [];
  cluster.add();
  cluster.add();

  function end(index: number, type: AttemptOutcome['type']): void {
    const run = cluster.runs[index % Math.max(1, cluster.runs.length)];
    if (run === undefined) return;
    const { id } = run.task.spec;
    const result = `${id} by ${run.node} in ${run.task.state.attempts}`;
    const given = results.get(id) ?? new Set();
    results.set(id, given.add(result));
    run.end(outcomeOf(type, result));
  }

  /** Goes on from what it was given. */
  function tellCheckpoint(run: ScriptedRun): void {
    const { task, checkpoint } = run;
    const begun = Number(checkpoint ?? 0);
    const keepsNone = task.state.hasCheckpoint !== true;
    claim(keepsNone || checkpoint !== undefined || run.isStopped || isMoot(task), 'no checkpoint');
    run.tell({ type: 'checkpoint', checkpoint: String(begun + 1) });
  }

  /** True where the task was changed under an attempt that is only about to hear of it. */
  function isMoot({ spec, state }: TaskRecord): boolean {
    return (store.get(spec.id) as TaskRecord).state.version !== state.version;
  }

  async function happen(it: Happening): Promise<void> {
    const alive = cluster.nodes.filter(({ isAlive }) => isAlive);
    const node = 'at' in it ? alive[it.at % alive.length] : undefined;
    switch (it.type) {
      case 'submit':
        ids.push(
          await cluster.submit({
            ...it.spec,
            ...(it.at % 2 === 0 ? { callbackUrl: 'https://n8n.example/x' } : {}),
          }),
        );
        return;
      case 'cancel': {
        const id = ids[it.at % Math.max(1, ids.length)];
        if (id === undefined) return;
        await changeTask(store, id, { type: 'cancel' }, { nowMs: clock.nowMs(), random: 0 });
        return;
      }
      case 'end':
        return end(it.at, it.outcome);
      case 'tell': {
        const run = cluster.runs[it.at % Math.max(1, cluster.runs.length)];
        run?.tell({ type: 'progress', progress: it.progress });
        run?.tell({ type: 'text', text: 'word ' });
        if (run !== undefined && it.at % 2 === 0) tellCheckpoint(run);
        return;
      }
      case 'add':
        if (alive.length < 4) cluster.add();
        return;
      case 'kill':
        node?.kill();
        if (alive.length < 3) cluster.add();
        return;
      case 'freeze':
        return node?.freeze();
      case 'thaw':
        return node?.thaw();
      case 'stop':
        if (node !== undefined) stops.push(node.stop(it.graceMs));
        if (alive.length < 3) cluster.add();
        return;
      case 'refuse':
        if (node !== undefined) refusing.add(node.name);
        return;
      case 'lose-answers':
        if (node !== undefined) forgetful.add(node.name);
        return;
      case 'heal':
        refusing.clear();
        forgetful.clear();
        return;
      case 'settle':
        return settle(it.turns);
      case 'wait':
        return pass(clock, it.ms);
    }
  }

  async function allOver(): Promise<boolean> {
    const records = await store.getMany(ids);
    return records.every(
      (record) =>
        record !== undefined && isOver(record.state.status) && record.state.callback !== 'owed',
    );
  }

  for (const it of happenings) await happen(it);
  isCalm = true;
  for (const node of cluster.nodes) node.thaw();
  cluster.add();
  for (let second = 0; second < CALM_SECONDS && !(await allOver()); second += 1) {
    for (const _ of cluster.runs) end(0, 'succeeded');
    await pass(clock, 1_000);
  }
  await pass(clock, 3_000);
  await check(store, cluster, ids, results);
}

async function check(
  store: TaskStore,
  cluster: TaskCluster,
  ids: readonly string[],
  results: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<void> {
  const records = await store.getMany(ids);
  let called = 0;
  for (const [index, record] of records.entries()) {
    const id = ids[index] ?? '';
    if (record === undefined || !isOver(record.state.status)) throw new Error(`${id} has no end`);
    const { spec, state } = record;
    if (state.status === 'succeeded') {
      const isGiven = results.get(id)?.has(state.result as string) ?? false;
      claim(isGiven, 'a result that no engine gave');
    }
    if (spec.callbackUrl === undefined) continue;
    called += 1;
    claim(state.callback === 'kept', 'a callback that is still owed');
    const kept = cluster.outbox.kept.filter((callback) => callback.id === id);
    claim(kept.length === 1, 'not one callback for one end');
    const body = JSON.parse(kept[0]?.body ?? '') as { status: string; result: unknown };
    claim(body.status === state.status, 'a callback with another status');
    claim(body.result === (state.result ?? null), 'a callback with another result');
  }
  claim(cluster.outbox.kept.length === called, 'a callback that nobody wanted');
  for (const { name, worker, isAlive } of cluster.nodes) {
    if (!isAlive) continue;
    claim(worker.running === 0, `${name} still runs something`);
    claim((await store.held(name)).length === 0, `${name} still has something`);
  }
}

const SEED = 20_300_202;
const RUNS = 10_000;

describe('tasks on nodes that die, freeze, stop and lose touch', () => {
  it(`TASK-1, TASK-6, TASK-7, TASK-9, TASK-10, TASK-18: every task ends once, with a result some engine gave, and its callback is kept once (${RUNS} schedules, seed ${SEED})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(happening, { maxLength: 24, size: 'max' }),
        async (seed, happenings) => play(seed, happenings),
      ),
      { seed: SEED, numRuns: RUNS },
    );
  }, 120_000);
});
