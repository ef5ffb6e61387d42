import { describe, expect, it } from 'vitest';
import { isWithinTolerance, mostCalls, nextGoal } from './length-control.ts';

describe('what a call has yet to give', () => {
  const state = { target: 1_000, planned: [500, 300, 200], before: 0, written: 0 };

  it('SCRIPT-1: is its share of what is left, whatever came before it', () => {
    expect(nextGoal(state)?.words).toBe(500);
    expect(nextGoal({ ...state, planned: [300, 200], before: 600 })?.words).toBe(240);
    expect(nextGoal({ ...state, planned: [300, 200], before: 200 })?.words).toBe(480);
  });

  it('SCRIPT-1: a part that falls short is gone on with, until it is nearly long enough', () => {
    expect(nextGoal({ ...state, written: 250 })).toMatchObject({
      words: 250,
      window: { least: 175, stopAt: 250 },
    });
    expect(nextGoal({ ...state, written: 424 })?.words).toBe(76);
    expect(nextGoal({ ...state, written: 425 })).toBeUndefined();
  });

  it('SCRIPT-8: leaves the parts after it most of their room, however small that is', () => {
    expect(nextGoal(state)?.window.most).toBe(655);
    const skewed = nextGoal({ ...state, planned: [950, 50] });
    expect(skewed?.window.most).toBe(970);
    const twice = nextGoal({ ...state, planned: [900, 50, 50], written: 500 });
    expect(twice?.window.most).toBe(440);
  });

  it('SCRIPT-1: the last one ends the whole within a tenth of its target', () => {
    const last = { target: 1_000, planned: [200], before: 700, written: 0 };
    expect(nextGoal(last)).toEqual({
      words: 300,
      window: { least: 230, stopAt: 330, most: 390 },
    });
    expect(nextGoal({ ...last, written: 204 })?.words).toBe(96);
    expect(nextGoal({ ...last, written: 205 })).toBeUndefined();
    for (const words of [905, 1_090]) expect(isWithinTolerance(words, 1_000)).toBe(true);
    for (const words of [899, 1_101]) expect(isWithinTolerance(words, 1_000)).toBe(false);
  });

  it('SCRIPT-1: the calls are bounded by those that are planned', () => {
    expect(mostCalls(1)).toBe(14);
    expect(mostCalls(60)).toBe(250);
  });
});
