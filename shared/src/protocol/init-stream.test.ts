import { describe, expect, it } from 'vitest';
import { GatewayError } from './errors.ts';
import { messagesOf, parseInitStream, parseJsonObject, promptOf } from './init-stream.ts';

const BASE = { resumeUrl: 'https://n8n.example/1', prompt: 'hi' };

/** Paths of the faults of a body. */
function faultsOf(body: Record<string, unknown>): string[] {
  try {
    parseInitStream(body);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    expect(thrown.code).toBe('validation_failed');
    return [...new Set((thrown.details?.fields ?? []).map(({ path }) => path))].sort();
  }
}

describe('the body of /init-stream', () => {
  it("INIT-7: takes seed 002's fields, with 4096 for `max_tokens` and `connect` for `start`", () => {
    expect(parseInitStream({ ...BASE, userId: 'u', chatId: 'c' })).toEqual({
      ...BASE,
      userId: 'u',
      chatId: 'c',
      max_tokens: 4096,
      start: 'connect',
      onDisconnect: 'continue',
      fallbackModels: [],
    });
  });

  it('INIT-3: names all faults together, by field', () => {
    expect(faultsOf({})).toContain('resumeUrl');
    expect(faultsOf({ resumeUrl: 'x' })).toEqual(['prompt']);
    expect(faultsOf({ ...BASE, messages: [{ role: 'user', content: 'x' }] })).toEqual(['prompt']);
    expect(
      faultsOf({ ...BASE, resumeUrl: '', max_tokens: 0, temperature: 3, start: 'later' }),
    ).toEqual(['max_tokens', 'resumeUrl', 'start', 'temperature']);
  });

  it('INIT-3: messages have a role and a text, and one of them is of the user', () => {
    const messages = [{ role: 'tool', content: '' }];
    expect(faultsOf({ resumeUrl: 'x', messages })).toEqual([
      'messages.0.content',
      'messages.0.role',
    ]);
    expect(faultsOf({ resumeUrl: 'x', messages: [{ role: 'system', content: 'a' }] })).toEqual([
      'messages',
    ]);
  });

  it('takes null for a user or chat that n8n left empty', () => {
    expect(faultsOf({ ...BASE, userId: null, chatId: null })).toEqual([]);
  });
});

describe('the conversation it stands for', () => {
  const messages = [
    { role: 'user', content: 'one' },
    { role: 'assistant', content: 'two' },
    { role: 'user', content: 'three' },
    { role: 'assistant', content: 'four' },
  ];

  it('has the system text first', () => {
    expect(messagesOf(parseInitStream({ ...BASE, system: 'be brief' }))).toEqual([
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'hi' },
    ]);
    const request = parseInitStream({ resumeUrl: 'x', messages, system: 'be brief' });
    expect(messagesOf(request)).toEqual([{ role: 'system', content: 'be brief' }, ...messages]);
  });

  it('OUTBOX-1: its prompt is the prompt, or the last message of the user', () => {
    expect(promptOf(parseInitStream(BASE))).toBe('hi');
    expect(promptOf(parseInitStream({ resumeUrl: 'x', messages }))).toBe('three');
  });
});

it('INIT-4: a body that is not a JSON object is refused', () => {
  for (const text of ['', '{', '[]', 'null', '1', '"x"']) {
    expect(() => parseJsonObject(text)).toThrowError(
      expect.objectContaining({ code: 'validation_failed' }),
    );
  }
  expect(parseJsonObject(' {"a":1} ')).toEqual({ a: 1 });
});
