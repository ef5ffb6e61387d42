/** Which part of a conversation a model gets to read again. */

import { GatewayError } from '../../protocol/errors.ts';

/** A question and what was answered to it, as far as a window needs to know them. */
export interface MeasuredTurn {
  /** Number of the question among the messages of its conversation. */
  readonly seq: number;
  /** Of both messages. */
  readonly tokens: number;
}

/** What a window is made of, in tokens. */
export interface WindowSizes {
  /** Most tokens of a prompt. */
  readonly windowTokens: number;
  readonly systemTokens: number;
  /** Of the newest message, which has no answer yet. */
  readonly messageTokens: number;
  /** 0 where there is no summary. */
  readonly summaryTokens: number;
}

/** What fits. */
export interface Window<Turn> {
  /** The newest turns without a gap, oldest first. */
  readonly turns: readonly Turn[];
  /** What fell out, oldest first. */
  readonly dropped: readonly Turn[];
  /** False where the summary found no place beside the newest message. */
  readonly hasSummary: boolean;
}

/**
 * What a vendor adds to each message for its role and its borders, about: OpenAI counts 3 or 4
 * (https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken_events).
 */
export const MESSAGE_OVERHEAD_TOKENS = 4;

/**
 * As many of the newest whole turns as fit beside the system prompt, the summary and the newest
 * message. `turns` come oldest first. Errors: `payload_too_large` where the newest message itself
 * does not fit beside the system prompt.
 */
export function chooseWindow<Turn extends MeasuredTurn>(
  turns: readonly Turn[],
  sizes: WindowSizes,
): Window<Turn> {
  let left = sizes.windowTokens - sizes.systemTokens - sizes.messageTokens;
  if (left < 0) {
    throw new GatewayError(
      'payload_too_large',
      `The message and the system prompt are more than the ${sizes.windowTokens} tokens a conversation may send at once. Send less, or raise CHAT_WINDOW_TOKENS.`,
    );
  }
  const hasSummary = sizes.summaryTokens > 0 && sizes.summaryTokens <= left;
  if (hasSummary) left -= sizes.summaryTokens;
  let first = turns.length;
  while (first > 0) {
    const { tokens } = turns[first - 1] as Turn;
    if (tokens > left) break;
    left -= tokens;
    first -= 1;
  }
  return { turns: turns.slice(first), dropped: turns.slice(0, first), hasSummary };
}

/** Most tokens of turns that one summary takes in, in windows: its model has to read them at once. */
const FOLDED_WINDOWS = 2;

/**
 * The turns to fold into the summary, oldest first; none while all of them fit. It takes what fell
 * out and goes on until the rest is no more than half of the room: one call of a model then serves
 * many turns, and no turn is missing from both the window and the summary. What earlier failures
 * have piled up is taken in over several turns.
 */
export function turnsToFold<Turn extends MeasuredTurn>(
  turns: readonly Turn[],
  sizes: WindowSizes,
): readonly Turn[] {
  if (chooseWindow(turns, sizes).dropped.length === 0) return [];
  const room = sizes.windowTokens - sizes.systemTokens - sizes.messageTokens;
  let rest = turns.reduce((sum, { tokens }) => sum + tokens, 0);
  let folded = 0;
  let count = 0;
  for (const { tokens } of turns) {
    if (rest * 2 <= room) break;
    if (count > 0 && folded + tokens > sizes.windowTokens * FOLDED_WINDOWS) break;
    rest -= tokens;
    folded += tokens;
    count += 1;
  }
  return turns.slice(0, count);
}
