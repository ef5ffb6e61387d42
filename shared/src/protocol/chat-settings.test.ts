import { expect, it } from 'vitest';
import { parseOriginSettings } from './settings.ts';

it('SET-1, CHAT-12: conversations have the documented defaults and units', () => {
  expect(parseOriginSettings({}).chat).toEqual({
    windowTokens: 8000,
    maxSessions: 1000,
    maxMessages: 10_000,
    retentionMs: 7_776_000_000,
  });
  const given = {
    CHAT_WINDOW_TOKENS: '300',
    CHAT_MAX_SESSIONS: '2',
    CHAT_MAX_MESSAGES: '4',
    CHAT_RETENTION_DAYS: '1',
  };
  expect(parseOriginSettings(given).chat).toEqual({
    windowTokens: 300,
    maxSessions: 2,
    maxMessages: 4,
    retentionMs: 86_400_000,
  });
  expect(() => parseOriginSettings({ CHAT_WINDOW_TOKENS: '1' })).toThrow(/^CHAT_WINDOW_TOKENS/m);
});
