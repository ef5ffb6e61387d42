import { expect, it } from 'vitest';
import { parseChatPage, parseChatRequest } from './ai-chat.ts';
import { GatewayError } from './errors.ts';

function faultsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof GatewayError) {
      expect(thrown.code).toBe('validation_failed');
      return (thrown.details?.fields ?? []).map(({ path }) => path);
    }
    throw thrown;
  }
  return [];
}

it('CHAT-1: a message is enough; what is unknown is left alone', () => {
  expect(parseChatRequest({ message: 'hi', userId: 1 })).toEqual({ message: 'hi' });
});

it.each([
  [{}, ['message']],
  [{ message: '' }, ['message']],
  [{ message: 'hi', session_id: 7, temperature: 3 }, ['session_id', 'temperature']],
  [{ message: 'hi', system: 'a', system_prompt: 'b' }, ['system_prompt']],
  [{ message: 'hi', update_system: true }, ['update_system']],
])('CHAT-1: every fault of a turn is named: %j', (body, fields) => {
  expect(faultsOf(() => parseChatRequest(body))).toEqual(fields);
});

it('CHAT-11: the system prompt has two names, which may say the same', () => {
  const request = { message: 'hi', system: 'a', system_prompt: 'a', update_system: true };
  expect(parseChatRequest(request)).toEqual(request);
});

it('CHAT-14: a page has 50 entries, and 200 at most', () => {
  expect(parseChatPage({})).toEqual({ limit: 50 });
  expect(parseChatPage({ after: 'chat_1', limit: '200' })).toEqual({ after: 'chat_1', limit: 200 });
  for (const limit of ['0', '201', 'x', '1.5']) {
    expect(faultsOf(() => parseChatPage({ limit }))).toEqual(['limit']);
  }
});
