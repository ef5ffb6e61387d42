import { describe, expect, it } from 'vitest';
import { noticesOf, parseServices } from './ai-health.ts';

const SIMULATED = { status: 'simulated', missing: 'Set OPENAI_API_KEY.' };
const GONE = { status: 'unavailable', missing: 'Set DATABASE_URL.' };

describe('parseServices', () => {
  it('WEB-15: tells live, simulated and missing services apart', () => {
    const services = { chat: SIMULATED, rag: GONE, 'script-generation': { status: 'live' } };
    expect(parseServices({ services })).toEqual({
      chat: { kind: 'simulated', missing: 'Set OPENAI_API_KEY.' },
      rag: { kind: 'unavailable', missing: 'Set DATABASE_URL.' },
      'script-generation': { kind: 'live' },
    });
  });

  it('WEB-15: takes an answer it cannot read for services that are not there', () => {
    expect(parseServices('<html>').chat).toEqual({ kind: 'unavailable' });
  });
});

describe('noticesOf', () => {
  it('WEB-15: says each lack once, and nothing where all is live', () => {
    const one = { chat: SIMULATED, rag: SIMULATED, 'script-generation': GONE };
    expect(noticesOf(parseServices({ services: one }))).toEqual([
      'Set OPENAI_API_KEY.',
      'Set DATABASE_URL.',
    ]);
    const live = { status: 'live' };
    const all = { chat: live, rag: live, 'script-generation': live };
    expect(noticesOf(parseServices({ services: all }))).toEqual([]);
  });
});
