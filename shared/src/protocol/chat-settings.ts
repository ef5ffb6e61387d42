/** What an origin does with conversations, as settings. */

import type * as z from 'zod';
import { wholeNumber } from './setting-types.ts';

const DAY_MS = 86_400_000;

/** Schema of the settings. */
export const CHAT_SETTINGS = {
  CHAT_WINDOW_TOKENS: wholeNumber(256, 2_000_000).optional(),
  CHAT_MAX_SESSIONS: wholeNumber(1, 1_000_000).optional(),
  CHAT_MAX_MESSAGES: wholeNumber(2, 100_000).optional(),
  CHAT_RETENTION_DAYS: wholeNumber(1, 3650).optional(),
};

/** The settings, parsed. */
export interface ChatSettings {
  /** Most tokens of a conversation that a model reads at once. Default 8000. */
  readonly windowTokens: number;
  /** Conversations of one caller. Default 1000. Beyond: `rate_limited`. */
  readonly maxSessions: number;
  /** Messages of one conversation, answers among them. Default 10,000. Beyond: `unprocessable`. */
  readonly maxMessages: number;
  /** How long a conversation that nobody uses is kept, in ms. Default 90 days. */
  readonly retentionMs: number;
}

/** Fills in the defaults. */
export function readChatSettings(
  read: Partial<z.output<z.ZodObject<typeof CHAT_SETTINGS>>>,
): ChatSettings {
  return {
    windowTokens: read.CHAT_WINDOW_TOKENS ?? 8000,
    maxSessions: read.CHAT_MAX_SESSIONS ?? 1000,
    maxMessages: read.CHAT_MAX_MESSAGES ?? 10_000,
    retentionMs: (read.CHAT_RETENTION_DAYS ?? 90) * DAY_MS,
  };
}
