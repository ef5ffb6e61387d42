import { expect, it } from 'vitest';
import { GatewayError } from '../../protocol/errors.ts';
import { chooseWindow, turnsToFold, type WindowSizes } from './conversation-window.ts';

const sizes = (given: Partial<WindowSizes> = {}): WindowSizes => ({
  windowTokens: 100,
  systemTokens: 0,
  messageTokens: 10,
  summaryTokens: 0,
  ...given,
});

const turns = (...tokens: readonly number[]) =>
  tokens.map((count, at) => ({ seq: 1 + at * 2, tokens: count }));

const seqs = (found: readonly { readonly seq: number }[]) => found.map(({ seq }) => seq);

it('CHAT-5: the newest whole turns that fit are sent, and no turn is parted', () => {
  const found = chooseWindow(turns(40, 40, 40), sizes());
  expect([seqs(found.turns), seqs(found.dropped)]).toEqual([[3, 5], [1]]);
  expect(seqs(chooseWindow(turns(50, 40), sizes()).turns)).toEqual([1, 3]);
  expect(seqs(chooseWindow(turns(51, 40), sizes()).turns)).toEqual([3]);
});

it('CHAT-5: a turn that does not fit ends the window: what is older would be out of context', () => {
  expect(seqs(chooseWindow(turns(1, 200, 5), sizes()).turns)).toEqual([5]);
});

it('CHAT-5: rules, summary and the newest message come first', () => {
  const found = chooseWindow(turns(40, 40), sizes({ systemTokens: 30, summaryTokens: 20 }));
  expect([seqs(found.turns), found.hasSummary]).toEqual([[3], true]);
});

it('CHAT-5: a summary that finds no place beside the newest message is left out', () => {
  const found = chooseWindow(turns(5), sizes({ messageTokens: 90, summaryTokens: 11 }));
  expect([seqs(found.turns), found.hasSummary]).toEqual([[1], false]);
});

it('CHAT-6: a newest message that does not fit is refused, and the setting is named', () => {
  expect(() => chooseWindow([], sizes({ messageTokens: 100 }))).not.toThrow();
  const refusal = (() => {
    try {
      return chooseWindow([], sizes({ messageTokens: 60, systemTokens: 41 }));
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(refusal).toBeInstanceOf(GatewayError);
  expect(refusal).toMatchObject({
    code: 'payload_too_large',
    message: expect.stringContaining('CHAT_WINDOW_TOKENS'),
  });
});

it('CHAT-7: nothing is folded while everything fits', () => {
  expect(turnsToFold(turns(30, 30, 30), sizes())).toEqual([]);
  expect(turnsToFold([], sizes())).toEqual([]);
});

it('CHAT-7: what falls out is folded, and more until the rest is half of the room', () => {
  expect(seqs(turnsToFold(turns(30, 30, 30, 30), sizes()))).toEqual([1, 3, 5]);
  expect(seqs(turnsToFold(turns(91), sizes()))).toEqual([1]);
});

it('CHAT-7: one summary takes in two windows at most, and one turn at least', () => {
  expect(seqs(turnsToFold(turns(90, 90, 90, 90), sizes()))).toEqual([1, 3]);
  expect(seqs(turnsToFold(turns(500, 90), sizes()))).toEqual([1]);
});
