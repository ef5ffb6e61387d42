import { GatewayError } from '@headwater/shared/protocol/errors';
import { expect, it } from 'vitest';
import { never, useChatHosts } from '../testing/chat-host.ts';
import { createChatService } from './chat-service.ts';

const createHost = useChatHosts();

it('CHAT-1: a conversation remembers what was said in it', async () => {
  const { service, take, answers, promptOf } = createHost();
  const first = await take({ message: 'I am Ada.', system: 'Be brief.' });
  await answers.end(first.streamId, { text: 'Hello Ada.' });
  expect(await service.ended(first.answerId, never)).toMatchObject({
    content: 'Hello Ada.',
    status: 'completed',
    model: 'gpt-4',
    usage: { inputTokens: 3 },
  });
  const second = await take({ message: 'Who am I?', session_id: first.sessionId });
  expect(second.sessionId).toBe(first.sessionId);
  expect(promptOf(second.streamId)).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'I am Ada.' },
    { role: 'assistant', content: 'Hello Ada.' },
    { role: 'user', content: 'Who am I?' },
  ]);
});

it('CHAT-1: an unknown conversation, and another caller’s, is not found', async () => {
  const { service, say, asked } = createHost();
  const { sessionId } = await say('hello', 'hi');
  const stranger = createHost();
  for (const session_id of [sessionId, `chat_${'0'.repeat(32)}`, 'chat_1', 'x']) {
    await expect(stranger.take({ session_id })).rejects.toMatchObject({ code: 'not_found' });
    await expect(stranger.service.read(stranger.owner, session_id, { limit: 1 })).rejects.toThrow(
      'There is no such conversation.',
    );
    await expect(stranger.service.remove(stranger.owner, session_id)).rejects.toMatchObject({
      code: 'not_found',
    });
  }
  expect(stranger.answers.wishes.size).toBe(0);
  await service.take(asked({ session_id: sessionId }));
});

it('CHAT-2: question and pending answer are kept before the model is asked', async () => {
  const { take, answers, store, owner } = createHost();
  let seen: unknown;
  answers.beforeOpen(async () => {
    const [session] = await store.list(owner, { limit: 1 });
    const { messages } = await store.messages(session?.id ?? '', { limit: 9 });
    seen = messages.map(({ status }) => status);
  });
  await take();
  expect(seen).toEqual(['completed', 'pending']);
});

it('CHAT-2: an answer is told as done once it is kept, and not before', async () => {
  const kept = Promise.withResolvers<void>();
  const { ports, answers, asked, store } = createHost();
  const slow = createChatService({
    ...ports,
    pollMs: 600_000,
    store: {
      ...store,
      async end(id, ending) {
        await kept.promise;
        return await store.end(id, ending);
      },
    },
  });
  const turn = await slow.take(asked({}));
  if (turn.type !== 'opened') throw new Error('a new turn was expected');
  let isTold = false;
  const told = slow.ended(turn.answerId, never).then((answer) => {
    isTold = true;
    return answer;
  });
  const ended = answers.end(turn.opened.streamId, {});
  await store.findAnswer(turn.answerId);
  expect(isTold).toBe(false);
  kept.resolve();
  await ended;
  expect(await told).toMatchObject({ status: 'completed' });
});

it('CHAT-2: a refused answer leaves neither message nor conversation', async () => {
  const { take, say, answers, service, owner } = createHost();
  const refusal = new GatewayError('rate_limited', 'Too fast.');
  answers.refuse(refusal);
  await expect(take()).rejects.toBe(refusal);
  expect(await service.list(owner, { limit: 5 })).toEqual([]);
  const { sessionId } = await say('hello', 'hi');
  answers.refuse(refusal);
  await expect(take({ session_id: sessionId }, 'key')).rejects.toBe(refusal);
  const { session, messages } = await service.read(owner, sessionId, { limit: 9 });
  expect([session.messageCount, messages.length]).toEqual([2, 2]);
  // The key was not used up.
  await take({ session_id: sessionId }, 'key');
});

it('CHAT-3: a message that comes while an answer is written is a conflict', async () => {
  const { take, answers, asked, service } = createHost();
  const { sessionId, streamId } = await take();
  await expect(take({ session_id: sessionId })).rejects.toMatchObject({ code: 'conflict' });
  await answers.end(streamId, {});
  const both = await Promise.allSettled([
    service.take(asked({ session_id: sessionId })),
    service.take(asked({ session_id: sessionId })),
  ]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'conflict' },
  });
  expect(answers.wishes.size).toBe(2);
});

it('CHAT-3: a pending answer whose stream is over, though nobody told, is kept first', async () => {
  const { take, answers, promptOf } = createHost();
  const { sessionId, streamId } = await take({ message: 'one?' });
  await answers.end(streamId, { text: 'one!' }, false);
  const next = await take({ session_id: sessionId, message: 'two?' });
  expect(promptOf(next.streamId).map(({ content }) => content)).toEqual(['one?', 'one!', 'two?']);
});

it('CHAT-3: a pending answer whose stream nobody knows is failed, and left out', async () => {
  const { take, answers, promptOf, service, owner } = createHost();
  const { sessionId, streamId, answerId } = await take({ message: 'one?' });
  answers.forget(streamId);
  const next = await take({ session_id: sessionId, message: 'two?' });
  expect(promptOf(next.streamId).map(({ content }) => content)).toEqual(['two?']);
  expect(await service.ended(answerId, never)).toMatchObject({
    status: 'lost',
    error: { code: 'processing_failed' },
  });
  // A conversation that is only looked at finds it too.
  answers.forget(next.streamId);
  const { messages } = await service.read(owner, sessionId, { limit: 9 });
  expect(messages.map(({ status }) => status)).toEqual(['completed', 'lost', 'completed', 'lost']);
});

it.each([
  { isAlone: true, freeAfterMs: 5_000 },
  { isAlone: false, freeAfterMs: 120_000 },
])(
  'CHAT-3: a turn whose process died before it asked (alone: $isAlone) is given up in time',
  async ({ isAlone, freeAfterMs }) => {
    const { say, take, clock, store, owner } = createHost({ isAlone: () => isAlone });
    const { sessionId } = await say('hello', 'hi');
    const bounds = { maxSessions: 5, maxMessages: 100 };
    const dead = { owner, sessionId, message: 'lost', tokens: 1, system: undefined };
    const rest = { replacesSystem: false, turnKey: undefined, fingerprint: undefined };
    await store.begin({ ...dead, ...rest, nowMs: clock.nowMs() }, bounds);
    await clock.advance(freeAfterMs - 1);
    await expect(take({ session_id: sessionId })).rejects.toMatchObject({ code: 'conflict' });
    await clock.advance(1);
    await take({ session_id: sessionId });
  },
);

it('CHAT-3: a turn that this process prepares is not taken for dead', async () => {
  const { take, say, answers, clock, asked, service } = createHost();
  const { sessionId } = await say('hello', 'hi');
  let second: unknown;
  answers.beforeOpen(async () => {
    await clock.advance(3_600_000);
    second = await service.take(asked({ session_id: sessionId })).catch((thrown) => thrown);
  });
  await take({ session_id: sessionId });
  expect(second).toMatchObject({ code: 'conflict' });
});

it('CHAT-4: the same key and request gives the same answer, and asks no model again', async () => {
  const { take, service, asked, answers } = createHost();
  const first = await take({}, 'key');
  const pending = await service.take(asked({}, 'key'));
  expect(pending).toMatchObject({ type: 'again', answer: { id: first.answerId } });
  await answers.end(first.streamId, {});
  const again = await service.take(asked({}, 'key'));
  expect(again).toMatchObject({ type: 'again', answer: { id: first.answerId, content: 'answer' } });
  const within = { session_id: first.sessionId };
  const second = await take(within, 'key');
  await answers.end(second.streamId, { status: 'failed', text: '' });
  expect(await service.take(asked(within, 'key'))).toMatchObject({
    type: 'again',
    answer: { id: second.answerId, status: 'failed' },
  });
  expect(answers.wishes.size).toBe(2);
});

it('CHAT-4: the same key with another request is unprocessable; keys belong to their caller', async () => {
  const { take, service, asked } = createHost();
  const { sessionId } = await take({}, 'key');
  await expect(service.take(asked({ message: 'other' }, 'key'))).rejects.toMatchObject({
    code: 'unprocessable',
  });
  await expect(service.take(asked({ temperature: 1 }, 'key'))).rejects.toMatchObject({
    code: 'unprocessable',
  });
  const other = await createHost().take({}, 'key');
  expect(other.sessionId).not.toBe(sessionId);
});
