import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWaitingLine, type Waiting, type WaitingLine } from './waiting-line.ts';

const OWNERS = ['ada', 'bob', 'cy', 'dee'];
const SEED = 20_300_101;

/** One thing that happens to a line. */
type Act =
  | { readonly type: 'put'; readonly waiting: Waiting }
  | { readonly type: 'remove'; readonly id: string }
  | { readonly type: 'take'; readonly count: number }
  | { readonly type: 'pass'; readonly ms: number };

const id = fc.integer({ min: 0, max: 30 }).map((at) => `t${at}`);

const aWaiting = (isDelayable: boolean): fc.Arbitrary<Waiting> =>
  fc
    .record({
      id,
      owner: fc.constantFrom(...OWNERS),
      rank: fc.integer({ min: 0, max: 5 }),
      isPaid: isDelayable
        ? fc.integer({ max: 4, min: 0 }).map((one) => one === 0)
        : fc.constant(false),
      dueMs: isDelayable
        ? fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined })
        : fc.constant(undefined),
    })
    .map(({ dueMs, ...waiting }) => (dueMs === undefined ? waiting : { ...waiting, dueMs }));

const acts = (isDelayable: boolean): fc.Arbitrary<Act[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: aWaiting(isDelayable).map((waiting) => ({ type: 'put' as const, waiting })),
      },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('remove' as const), id }) },
      {
        weight: 4,
        arbitrary: fc.record({
          type: fc.constant('take' as const),
          count: fc.integer({ min: 1, max: 4 }),
        }),
      },
      {
        weight: isDelayable ? 2 : 0,
        arbitrary: fc.record({
          type: fc.constant('pass' as const),
          ms: fc.integer({ min: 1, max: 20 }),
        }),
      },
    ),
    { maxLength: 120, size: 'max' },
  );

/** The same line, as plainly as it can be said. */
function createNaiveLine(): WaitingLine {
  let due: Waiting[] = [];
  let later: Waiting[] = [];
  let turn = 0;
  let entries = 0;
  let turns = new Map<string, number>();
  const entry = new Map<string, number>();
  const owners = () => new Set(due.map(({ owner }) => owner));

  function enter(waiting: Waiting): void {
    const { owner } = waiting;
    if (!owners().has(owner)) {
      turns.set(owner, Math.max(turn, turns.get(owner) ?? 0));
      entry.set(owner, ++entries);
    }
    due.push(waiting);
  }

  function rest(): void {
    if (due.length === 0) turns = new Map();
  }

  function remove(gone: string): boolean {
    const isDue = due.some((each) => each.id === gone);
    const isThere = isDue || later.some((each) => each.id === gone);
    due = due.filter((each) => each.id !== gone);
    later = later.filter((each) => each.id !== gone);
    if (isDue) rest();
    return isThere;
  }

  return {
    get size() {
      return due.length + later.length;
    },
    put(waiting) {
      remove(waiting.id);
      if (waiting.dueMs === undefined) enter(waiting);
      else later.push(waiting);
    },
    take(nowMs) {
      const ripe = later
        .filter(({ dueMs = 0 }) => dueMs <= nowMs)
        .sort((one, other) => (one.dueMs ?? 0) - (other.dueMs ?? 0));
      later = later.filter(({ dueMs = 0 }) => dueMs > nowMs);
      for (const waiting of ripe) enter(waiting);
      const [owner] = [...owners()].sort(
        (one, other) =>
          (turns.get(one) ?? 0) - (turns.get(other) ?? 0) ||
          (entry.get(one) ?? 0) - (entry.get(other) ?? 0),
      );
      const [next] = due
        .filter((waiting) => waiting.owner === owner)
        .sort((one, other) => one.rank - other.rank || (one.id < other.id ? -1 : 1));
      if (owner === undefined || next === undefined) return undefined;
      due = due.filter((waiting) => waiting !== next);
      turn = turns.get(owner) ?? 0;
      if (!next.isPaid) {
        turns.set(owner, turn + 1);
        entry.set(owner, ++entries);
      }
      rest();
      return next;
    },
    remove,
    delayed: (nowMs) => later.filter(({ dueMs = 0 }) => dueMs > nowMs).length,
    nextDueMs: () =>
      later.length === 0 ? undefined : Math.min(...later.map(({ dueMs = 0 }) => dueMs)),
  };
}

describe('a waiting line', () => {
  it('QUEUE-4, QUEUE-5, QUEUE-6: serves in the order that a plain list of what waits gives', () => {
    fc.assert(
      fc.property(acts(true), (all) => {
        const line = createWaitingLine();
        const naive = createNaiveLine();
        let nowMs = 0;
        let made = 0;
        for (const act of all) {
          if (act.type === 'pass') nowMs += act.ms;
          else if (act.type === 'remove') expect(line.remove(act.id)).toBe(naive.remove(act.id));
          else if (act.type === 'put') {
            // Equal due times come in any order: each has its own.
            const { dueMs } = act.waiting;
            made += 1;
            const due = dueMs === undefined ? {} : { dueMs: nowMs + dueMs + made / 1_000 };
            line.put({ ...act.waiting, ...due });
            naive.put({ ...act.waiting, ...due });
          } else {
            for (let time = 0; time < act.count; time += 1) {
              expect(line.take(nowMs)).toEqual(naive.take(nowMs));
            }
          }
          expect([line.size, line.delayed(nowMs), line.nextDueMs()]).toEqual([
            naive.size,
            naive.delayed(nowMs),
            naive.nextDueMs(),
          ]);
        }
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  it('QUEUE-4: of two who both wait, nobody is ever more than one turn ahead of the other', () => {
    const pairs = OWNERS.flatMap((one, at) =>
      OWNERS.slice(at + 1).map((two) => [one, two] as const),
    );
    fc.assert(
      fc.property(acts(false), (all) => {
        const line = createWaitingLine();
        const waits = new Map<string, string>();
        const ahead = pairs.map(() => ({ now: 0, least: 0, most: 0 }));
        const look = (taken?: string) => {
          const owners = new Set(waits.values());
          for (const [at, [one, two]] of pairs.entries()) {
            const lead = ahead[at];
            if (lead === undefined) continue;
            if (taken === one) lead.now += 1;
            if (taken === two) lead.now -= 1;
            lead.least = Math.min(lead.least, lead.now);
            lead.most = Math.max(lead.most, lead.now);
            if (lead.most - lead.least > 1) throw new Error(`${one} and ${two} took no turns`);
            if (!owners.has(one) || !owners.has(two)) {
              lead.now = 0;
              lead.least = 0;
              lead.most = 0;
            }
          }
        };
        for (const act of all) {
          if (act.type === 'put') {
            // One that is replaced leaves the line for a moment.
            if (waits.delete(act.waiting.id)) look();
            line.put(act.waiting);
            waits.set(act.waiting.id, act.waiting.owner);
            look();
          } else if (act.type === 'remove') {
            expect(line.remove(act.id)).toBe(waits.delete(act.id));
            look();
          } else if (act.type === 'take') {
            for (let time = 0; time < act.count; time += 1) {
              const taken = line.take(0);
              expect(taken !== undefined).toBe(waits.size > 0);
              if (taken === undefined) break;
              expect(waits.delete(taken.id)).toBe(true);
              look(taken.owner);
            }
          }
        }
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  it('QUEUE-4: callers who are gone leave nothing behind that counts', () => {
    const line = createWaitingLine();
    for (let at = 0; at < 1_000; at += 1) {
      line.put({ id: `t${at}`, owner: `o${at}`, rank: 0, isPaid: false });
      expect(line.take(0)?.id).toBe(`t${at}`);
    }
    line.put({ id: 'a', owner: 'o0', rank: 0, isPaid: false });
    line.put({ id: 'b', owner: 'new', rank: 0, isPaid: false });
    expect([line.take(0)?.id, line.take(0)?.id, line.take(0)]).toEqual(['a', 'b', undefined]);
    expect(line.size).toBe(0);
  });
});
