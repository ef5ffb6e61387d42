import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { describeWithDatabases } from '../testing/describe-with-databases.ts';
import type { BegunTurn, NewTurn } from './begin-turn.ts';
import type { ChatMessage } from './chat-record.ts';
import { type AnswerEnding, type ChatStore, createChatStore } from './chat-store.ts';

const BOUNDS = { maxSessions: 3, maxMessages: 6 };

const FACTS = { summarised: false, warnings: [], summaryUsage: null };

const turnOf = (owner: string, given: Partial<NewTurn> = {}): NewTurn => ({
  owner,
  sessionId: undefined,
  message: 'hello',
  tokens: 1,
  system: undefined,
  replacesSystem: false,
  turnKey: undefined,
  fingerprint: undefined,
  nowMs: 1000,
  ...given,
});

const ending = (given: Partial<AnswerEnding> = {}): AnswerEnding => ({
  status: 'completed',
  content: 'answer',
  tokens: 2,
  model: 'gpt-4',
  provider: 'openai',
  finishReason: 'stop',
  usage: { inputTokens: 3, outputTokens: 2, source: 'provider' },
  cost: { inputUsd: 0.1, outputUsd: 0.2, totalUsd: 0.3, source: 'table' },
  error: null,
  endedAtMs: 2000,
  ...given,
});

function begun(turn: BegunTurn) {
  if (turn.type !== 'begun') throw new Error(`begun was expected, not ${turn.type}`);
  return turn;
}

describeWithDatabases('chat store', (database, kind) => {
  const fresh = () => {
    const store = createChatStore(database());
    const owner = randomUUID();
    return {
      store,
      owner,
      begin: async (given: Partial<NewTurn> = {}) =>
        begun(await store.begin(turnOf(owner, given), BOUNDS)),
    };
  };

  /** A conversation with whole turns, each of `tokens` and the overhead of two messages. */
  async function converse(store: ChatStore, owner: string, ...answers: readonly string[]) {
    let sessionId: string | undefined;
    for (const content of answers) {
      const turn = turnOf(owner, { sessionId, message: `about ${content}` });
      const { answer } = begun(await store.begin(turn, { maxSessions: 9, maxMessages: 99 }));
      sessionId = answer.sessionId;
      await store.end(answer.id, ending({ content }));
    }
    return sessionId as string;
  }

  it('CHAT-2: a question and its pending answer are kept together, under growing numbers', async () => {
    const { store, begin } = fresh();
    const { session, answer, isNewSession } = await begin({ system: 'Be brief.' });
    expect(session).toMatchObject({
      id: expect.stringMatching(/^chat_[0-9a-f]{32}$/),
      system: 'Be brief.',
      messageCount: 2,
      summary: null,
      createdAtMs: 1000,
      lastUsedAtMs: 1000,
    });
    expect([answer.seq, answer.status, isNewSession]).toEqual([2, 'pending', true]);
    await store.end(answer.id, ending());
    const next = await begin({ sessionId: session.id, nowMs: 3000 });
    expect([next.answer.seq, next.isNewSession]).toEqual([4, false]);
    expect(next.session.lastUsedAtMs).toBe(3000);
    const { messages } = await store.messages(session.id, { limit: 10 });
    expect(messages.map(({ seq, role, status }) => [seq, role, status])).toEqual([
      [1, 'user', 'completed'],
      [2, 'assistant', 'completed'],
      [3, 'user', 'completed'],
      [4, 'assistant', 'pending'],
    ]);
  });

  it('CHAT-2: an answer is kept with all that is known of it', async () => {
    const { store, begin } = fresh();
    const { answer } = await begin();
    const usage = { inputTokens: 9, outputTokens: 8, source: 'provider' as const };
    const facts = { summarised: true, warnings: ['w'], summaryUsage: usage };
    expect(await store.setStream(answer.id, { streamId: 's', isCached: true }, facts)).toBe(true);
    const { error: _error, ...kept } = ending({ content: 'a\0b' });
    expect(await store.end(answer.id, { ...kept, error: null })).toEqual({
      ...answer,
      ...kept,
      content: 'a\uFFFDb',
      streamId: 's',
      isCached: true,
      facts,
    } satisfies ChatMessage);
  });

  it('CHAT-1: nobody else begins, finds, lists or deletes in a conversation', async () => {
    const { store, begin, owner } = fresh();
    const { session, answer } = await begin();
    await store.end(answer.id, ending());
    const other = turnOf('somebody else', { sessionId: session.id });
    await expect(store.begin(other, BOUNDS)).rejects.toMatchObject({ code: 'not_found' });
    expect(await store.find('somebody else', session.id)).toBeUndefined();
    expect(await store.list('somebody else', { limit: 9, after: session.id })).toEqual([]);
    expect(await store.remove('somebody else', session.id)).toBeUndefined();
    expect(await store.find(owner, session.id)).toMatchObject({ messageCount: 2 });
  });

  it('CHAT-3: of two turns that come at once, one begins', async () => {
    const { store, begin, owner } = fresh();
    const { session, answer } = await begin();
    await store.end(answer.id, ending());
    const turn = turnOf(owner, { sessionId: session.id });
    const both = await Promise.all([store.begin(turn, BOUNDS), store.begin(turn, BOUNDS)]);
    expect(both.map(({ type }) => type).toSorted()).toEqual(['begun', 'busy']);
    const [first, second] = both.toSorted((a, b) => (a.type < b.type ? -1 : 1));
    expect(second?.answer.id).toBe(first?.answer.id);
    expect(await store.find(owner, session.id)).toMatchObject({ messageCount: 4 });
  });

  it('CHAT-4: of two requests with one key, one begins, in a new conversation too', async () => {
    const { store, owner, begin } = fresh();
    const turnKey = randomUUID();
    const turn = turnOf(owner, { turnKey, fingerprint: 'f' });
    const both = await Promise.all([store.begin(turn, BOUNDS), store.begin(turn, BOUNDS)]);
    expect(both.map(({ type }) => type).toSorted()).toEqual(['again', 'begun']);
    expect(new Set(both.map(({ answer }) => answer.id)).size).toBe(1);
    expect(both[0]?.answer.fingerprint).toBe('f');
    const [session] = await store.list(owner, { limit: 5 });
    await store.end(both[0]?.answer.id ?? '', ending());
    const next = await begin({ sessionId: session?.id, turnKey: randomUUID() });
    expect(next.session.messageCount).toBe(4);
  });

  it('CHAT-11: another system prompt is refused, unless it is meant', async () => {
    const { store, begin, owner } = fresh();
    const { session, answer } = await begin({ system: 'Be brief.' });
    await store.end(answer.id, ending());
    const again = { sessionId: session.id };
    await expect(
      store.begin(turnOf(owner, { ...again, system: 'Be long.' }), BOUNDS),
    ).rejects.toMatchObject({
      code: 'validation_failed',
      details: { fields: [{ path: 'system_prompt' }] },
    });
    const same = await begin({ ...again, system: 'Be brief.' });
    await store.end(same.answer.id, ending());
    const other = await begin({ ...again, system: 'Be long.', replacesSystem: true });
    expect(other.session.system).toBe('Be long.');
    expect(await store.find(owner, session.id)).toMatchObject({ system: 'Be long.' });
  });

  it('CHAT-12: a caller’s conversations are bounded, however many begin at once', async () => {
    const { store, owner } = fresh();
    const tried = await Promise.allSettled(
      Array.from({ length: 6 }, () => store.begin(turnOf(owner), BOUNDS)),
    );
    expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(tried.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'rate_limited', message: expect.stringContaining('DELETE /ai/chat/') },
    });
    const [first] = await store.list(owner, { limit: 1 });
    await store.remove(owner, first?.id ?? '');
    expect((await store.begin(turnOf(owner), BOUNDS)).type).toBe('begun');
  });

  it('CHAT-12: a conversation has no more messages than it may, and is left as it was', async () => {
    const { store, owner } = fresh();
    const sessionId = await converse(store, owner, 'a', 'b', 'c');
    await expect(store.begin(turnOf(owner, { sessionId }), BOUNDS)).rejects.toMatchObject({
      code: 'unprocessable',
    });
    expect(await store.find(owner, sessionId)).toMatchObject({ messageCount: 6 });
  });

  it('CHAT-2: a turn that no model was asked for leaves nothing', async () => {
    const { store, begin, owner } = fresh();
    const first = await begin();
    await store.withdraw(first);
    expect(await store.list(owner, { limit: 5 })).toEqual([]);
    const sessionId = await converse(store, owner, 'a');
    const second = await begin({ sessionId, system: 'Be long.', replacesSystem: true });
    expect(second.session.system).toBe('Be long.');
    await store.withdraw(second);
    expect(await store.find(owner, sessionId)).toMatchObject({ messageCount: 2, system: null });
    expect((await store.messages(sessionId, { limit: 9 })).messages).toHaveLength(2);
    const third = await begin({ sessionId });
    expect(third.answer.seq).toBeGreaterThan(second.answer.seq);
  });

  it('CHAT-17: the first end stands, but for an answer that was given up', async () => {
    const { store, begin } = fresh();
    const { answer } = await begin();
    const lost = ending({ status: 'lost', content: '', model: null });
    expect(await store.end(answer.id, lost)).toMatchObject({ status: 'lost' });
    expect(await store.end(answer.id, ending())).toMatchObject({ status: 'completed' });
    expect(await store.end(answer.id, lost)).toMatchObject({ status: 'completed' });
    const other = ending({ status: 'failed', content: 'other' });
    expect(await store.end(answer.id, other)).toMatchObject({ content: 'answer' });
    expect(await store.end('msg_unknown', ending())).toBeUndefined();
  });

  it('CHAT-10: an answer without text is no turn of the past; one that was cut is', async () => {
    const { store, begin } = fresh();
    const { session, answer } = await begin({ tokens: 5 });
    await store.end(answer.id, ending({ status: 'failed', content: 'half', tokens: 7 }));
    const again = { sessionId: session.id };
    const second = await begin(again);
    await store.end(second.answer.id, ending({ status: 'failed', content: '', tokens: 0 }));
    const third = await begin(again);
    const past = await store.pastTurns(session.id, 0, third.answer.seq - 1);
    expect(past).toEqual([{ seq: 1, tokens: 5 + 7 + 8 }]);
    expect(await store.pastTurns(session.id, 2, third.answer.seq - 1)).toEqual([]);
    expect(await store.contents(session.id, 1, 3)).toEqual(
      new Map([
        [1, 'hello'],
        [2, 'half'],
      ]),
    );
  });

  it('CHAT-8: of two summaries the one that reaches further is kept', async () => {
    const { store, owner } = fresh();
    const sessionId = await converse(store, owner, 'a');
    const keep = (text: string, throughSeq: number) =>
      store.keepSummary(sessionId, { text, tokens: 1, throughSeq });
    const both = await Promise.all([keep('near', 4), keep('far', 8)]);
    expect(both[1]).toBe(true);
    expect([await keep('nearer', 2), await keep('the same', 8)]).toEqual([false, false]);
    expect(await store.find(owner, sessionId)).toMatchObject({
      summary: { text: 'far', tokens: 1, throughSeq: 8 },
    });
  });

  it('CHAT-14: conversations come newest first and messages in order, page by page', async () => {
    const { store, owner } = fresh();
    const ids: string[] = [];
    for (const nowMs of [1, 2, 2]) {
      const { session } = begun(await store.begin(turnOf(owner, { nowMs }), BOUNDS));
      ids.push(session.id);
    }
    const all = await store.list(owner, { limit: 9 });
    const found = all.map(({ id }) => id);
    expect(found.at(-1)).toBe(ids[0]);
    expect(found.toSorted()).toEqual(ids.toSorted());
    const paged: string[] = [];
    for (let after: string | undefined; ; ) {
      const [next] = await store.list(owner, { limit: 1, after });
      if (next === undefined) break;
      paged.push(next.id);
      after = next.id;
    }
    expect(paged).toEqual(found);
    expect(await store.list(owner, { limit: 9, after: 'chat_unknown' })).toEqual([]);

    const sessionId = await converse(store, `${owner}2`, 'a', 'b');
    const { messages, hasMore } = await store.messages(sessionId, { limit: 4 });
    expect(hasMore).toBe(false);
    const rest = await store.messages(sessionId, { limit: 2, after: messages[0]?.id });
    expect(rest.messages.map(({ content }) => content)).toEqual(['a', 'about b']);
    expect(rest.hasMore).toBe(true);
    const none = { messages: [], hasMore: false };
    expect(await store.messages(sessionId, { limit: 9, after: messages[3]?.id })).toEqual(none);
    expect(await store.messages(sessionId, { limit: 9, after: 'msg_unknown' })).toEqual(none);
  });

  it('CHAT-14: a page of very long messages has fewer of them, and one at least', async () => {
    const { store, owner } = fresh();
    const long = 'x'.repeat(3 * 1024 * 1024);
    const sessionId = await converse(store, owner, `${long}${long}`, long);
    const lengths: number[][] = [];
    for (let after: string | undefined; ; ) {
      const { messages, hasMore } = await store.messages(sessionId, { limit: 9, after });
      lengths.push(messages.map(({ seq }) => seq));
      after = messages.at(-1)?.id;
      if (!hasMore) break;
    }
    expect(lengths).toEqual([[1], [2], [3], [4]]);
  });

  it('CHAT-15: a conversation is deleted with its messages, and names what is being written', async () => {
    const { store, begin, owner } = fresh();
    const { session, answer } = await begin();
    await store.setStream(answer.id, { streamId: 'live', isCached: false }, FACTS);
    expect(await store.pending(session.id)).toMatchObject([{ id: answer.id }]);
    expect(await store.remove(owner, session.id)).toEqual(['live']);
    expect(await store.findAnswer(answer.id)).toBeUndefined();
    expect((await store.messages(session.id, { limit: 5 })).messages).toEqual([]);
    const stream = { streamId: 's', isCached: false };
    expect(await store.setStream(answer.id, stream, FACTS)).toBe(false);
    expect(await store.remove(owner, session.id)).toBeUndefined();
    expect(await store.keepSummary(session.id, { text: 's', tokens: 1, throughSeq: 9 })).toBe(
      false,
    );
  });

  it(`CHAT-13: what nobody has used since is deleted (${kind})`, async () => {
    const { store, begin, owner } = fresh();
    const long = -1_000_000;
    const { session, answer } = await begin({ nowMs: long });
    await begin({ nowMs: long });
    await store.end(answer.id, ending({ endedAtMs: long + 2 }));
    expect(await store.sweep(long + 1)).toBe(1);
    expect((await store.list(owner, { limit: 9 })).map(({ id }) => id)).toEqual([session.id]);
    expect(await store.sweep(long + 2)).toBe(1);
    expect(await store.list(owner, { limit: 9 })).toEqual([]);
  });
});
