import { type StreamEngine, startEngine } from '@headwater/shared/stream/engine';
import { parseEventId } from '@headwater/shared/stream/event';
import { createMemoryLog } from '@headwater/shared/stream/memory-log';
import { createMemoryStore } from '@headwater/shared/stream/memory-store';
import { createRecordingOutbox } from '@headwater/shared/testing/recording-outbox';
import { createScriptedModel } from '@headwater/shared/testing/scripted-model';
import { aNewSession } from '@headwater/shared/testing/session-fixtures';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { describeSubscriberContract } from '@headwater/shared/testing/subscriber-contract';
import { expect, it, vi } from 'vitest';
import { answerClientSocket, createClientSubscriber } from './client-socket.ts';

async function startStream() {
  const model = createScriptedModel();
  const engine = await startEngine(
    aNewSession(Date.now()),
    {
      log: createMemoryLog(),
      store: createMemoryStore(),
      outbox: createRecordingOutbox(),
      clock: { nowMs: Date.now },
      alarm: { set: () => undefined },
      logger: createSilentLogger(),
      provider: () => model.provider,
      countTokens: async (text) => text.length,
      purged: () => undefined,
    },
    'created',
  );
  return { engine, model };
}

type Seen = { readonly id?: string; readonly type: string; readonly text?: string };

function connect(engine: StreamEngine, after = '') {
  const { webSocket: socket } = answerClientSocket(engine, parseEventId(after), (thrown) => {
    throw thrown;
  });
  if (socket === null) throw new Error('no socket');
  const seen: Seen[] = [];
  socket.addEventListener('message', ({ data }) => {
    seen.push(JSON.parse(String(data)));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener('close', ({ code, reason }) => {
      socket.close(1000);
      resolve({ code, reason });
    });
  });
  socket.accept();
  return { socket, seen, closed, say: (message: object) => socket.send(JSON.stringify(message)) };
}

const seqsOf = (seen: readonly Seen[]) => seen.map(({ id }) => Number(id?.split('-')[1]));

/** Waits for what happens by itself. */
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 8000, interval: 5 });

it('SOCKET-4, SOCKET-5: a reader gets every event, resumes in mid-stream, and is closed in order at the end', async () => {
  const { engine, model } = await startStream();
  const reader = connect(engine);
  model.text('one ');
  model.text('two');
  await eventually(() => expect(reader.seen).toHaveLength(2));
  reader.say({ type: 'resume', after: reader.seen[0]?.id });
  await eventually(() => expect(reader.seen).toHaveLength(3));
  model.say({ type: 'finish', reason: 'stop' });
  model.end();
  expect(await reader.closed).toMatchObject({ code: 1000 });
  expect(seqsOf(reader.seen)).toEqual([1, 2, 2, 3, 4]);
  expect(reader.seen.at(-1)).toMatchObject({ type: 'done', status: 'completed' });

  const again = connect(engine, reader.seen.at(-1)?.id);
  expect(await again.closed).toMatchObject({ code: 1000 });
  expect(again.seen).toEqual([]);
});

it('SOCKET-5: a cancel stops the model and ends the reader with `done`', async () => {
  const { engine, model } = await startStream();
  const reader = connect(engine);
  model.text('one');
  await eventually(() => expect(reader.seen).toHaveLength(1));
  reader.say({ type: 'cancel' });
  expect(await reader.closed).toMatchObject({ code: 1000 });
  expect(model.aborted).toBe(true);
  expect(reader.seen.at(-1)).toMatchObject({ type: 'done', status: 'cancelled' });
});

it('SOCKET-6: a bad message ends its reader with 4400', async () => {
  const { engine } = await startStream();
  const texts = connect(engine);
  texts.socket.send('hello');
  expect(await texts.closed).toEqual({ code: 4400, reason: 'validation_failed' });
  expect(texts.seen.at(-1)).toMatchObject({ type: 'error', code: 'validation_failed' });
  const bytes = connect(engine);
  bytes.socket.send(new Uint8Array([1, 2, 3]));
  expect(await bytes.closed).toMatchObject({ code: 4400 });
  expect(engine.readerCount).toBe(0);
});

it('STREAM-15: a reader that leaves is detached', async () => {
  const { engine } = await startStream();
  const reader = connect(engine);
  expect(engine.readerCount).toBe(1);
  reader.socket.close(1000);
  await eventually(() => expect(engine.readerCount).toBe(0));
});

describeSubscriberContract('socket of a reader to the object', async () => {
  const { 0: client, 1: socket } = new WebSocketPair();
  client.accept();
  socket.accept();
  const noticed = new Promise((resolve) => socket.addEventListener('close', resolve));
  return {
    subscriber: createClientSubscriber(socket, 'sse-text'),
    readAll: () =>
      new Promise((resolve) => {
        let text = '';
        client.addEventListener('message', ({ data }) => {
          text += String(data);
        });
        client.addEventListener('close', () => resolve(text));
      }),
    async leave() {
      client.close(1000);
      await noticed;
    },
  };
});
