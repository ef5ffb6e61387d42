import { GatewayError } from '@headwater/shared/protocol/errors';
import { expect, it } from 'vitest';
import { never, useChatHosts } from '../testing/chat-host.ts';
import { createChatService } from './chat-service.ts';

const createHost = useChatHosts();

it('CHAT-10: a cut answer keeps what was said and is told on; one without a word is left out', async () => {
  const { take, answers, promptOf, service, owner } = createHost();
  const { sessionId, streamId } = await take({ message: 'one?' });
  const error = { code: 'upstream_failed', message: 'The vendor broke off.' } as const;
  await answers.end(streamId, { status: 'failed', text: 'half', error });
  const second = await take({ message: 'two?', session_id: sessionId });
  await answers.end(second.streamId, { status: 'failed', text: '', error });
  const third = await take({ message: 'three?', session_id: sessionId });
  expect(promptOf(third.streamId).map(({ content }) => content)).toEqual([
    'one?',
    'half',
    'three?',
  ]);
  await answers.end(third.streamId, { status: 'cancelled', text: 'until' });
  const { messages } = await service.read(owner, sessionId, { limit: 9 });
  expect(messages.map(({ status, content }) => [status, content])).toEqual([
    ['completed', 'one?'],
    ['failed', 'half'],
    ['completed', 'two?'],
    ['failed', ''],
    ['completed', 'three?'],
    ['cancelled', 'until'],
  ]);
  expect(messages[1]?.error).toEqual(error);
});

it('CHAT-15: deleting a conversation stops the answer that is written, and its end is kept nowhere', async () => {
  const { take, answers, service, owner, cancelled } = createHost();
  const { sessionId, streamId, answerId } = await take();
  const waiting = service.ended(answerId, never);
  const refused = expect(waiting).rejects.toMatchObject({ code: 'not_found' });
  await service.remove(owner, sessionId);
  expect(cancelled).toEqual([streamId]);
  await answers.end(streamId, { status: 'cancelled', text: 'until' });
  await refused;
  expect(await service.list(owner, { limit: 5 })).toEqual([]);
});

it('CHAT-15: a conversation that is deleted while its turn is prepared stops the model', async () => {
  const { take, say, answers, service, owner, cancelled } = createHost();
  const { sessionId } = await say('hello', 'hi');
  answers.beforeOpen(() => service.remove(owner, sessionId));
  await expect(take({ session_id: sessionId })).rejects.toMatchObject({ code: 'not_found' });
  expect(cancelled).toEqual([answers.newest]);
});

it('CHAT-17: a wait finds an end that another instance kept, and one that nobody kept', async () => {
  const { take, answers, service, ports, asked } = createHost();
  const { answerId, streamId } = await take();
  const elsewhere = createChatService({ ...ports, answers: { ...answers.service, onEnd() {} } });
  const waiting = elsewhere.ended(answerId, never);
  await answers.end(streamId, { text: 'kept there' });
  expect(await waiting).toMatchObject({ content: 'kept there' });
  const second = await elsewhere.take(asked({}));
  if (second.type !== 'opened') throw new Error('a new turn was expected');
  const untold = service.ended(second.answerId, never);
  await answers.end(second.opened.streamId, { text: 'never told' }, false);
  expect(await untold).toMatchObject({ content: 'never told' });
});

it('CHAT-17: an end that the database would not take is offered again, and asked for by the next look', async () => {
  const { ports, answers, asked, store, owner, service, logger } = createHost();
  let isAway = true;
  const shaky = createChatService({
    ...ports,
    store: {
      ...store,
      async end(id, ending) {
        if (isAway) throw new GatewayError('unavailable', 'The database did not answer.');
        return await store.end(id, ending);
      },
    },
  });
  const turn = await shaky.take(asked({}));
  if (turn.type !== 'opened') throw new Error('a new turn was expected');
  await answers.end(turn.opened.streamId, { text: 'kept late' });
  expect(logger.lines).toMatchObject([{ message: 'end of an answer not kept' }]);
  await shaky.close();
  isAway = false;
  const { messages } = await service.read(owner, turn.sessionId, { limit: 5 });
  expect(messages[1]).toMatchObject({ status: 'completed', content: 'kept late' });
});

it('CHAT-1: who stops waiting ends the wait alone', async () => {
  const { take, answers, service } = createHost();
  const { answerId, streamId } = await take();
  const leaving = new AbortController();
  const waiting = service.ended(answerId, leaving.signal);
  const left = expect(waiting).rejects.toBeDefined();
  leaving.abort();
  await left;
  await answers.end(streamId, {});
  expect(await service.ended(answerId, never)).toMatchObject({ status: 'completed' });
});

it('CHAT-13: conversations that nobody used for the retention are swept', async () => {
  const { say, service, clock, owner, store, ports } = createHost();
  await say('hello', 'hi');
  let before: number | undefined;
  const watched = createChatService({
    ...ports,
    store: {
      ...store,
      async sweep(beforeMs) {
        before = beforeMs;
        return 0;
      },
    },
  });
  await watched.sweep();
  expect(before).toBe(clock.nowMs() - 1000);
  await clock.advance(1000);
  await service.sweep();
  expect(await service.list(owner, { limit: 5 })).toEqual([]);
  await Promise.all([watched.close(), service.close()]);
});
