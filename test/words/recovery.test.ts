import { rm } from 'node:fs/promises';
import { scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { countWords } from '@headwater/shared/text/scripts/count-words';
import { describe, expect, it } from 'vitest';
import type { RunningProcess } from '../hosts/host.ts';
import { makeOriginPlaceWithDatabase } from '../hosts/origin-host.ts';
import { taskCaller } from '../tasks/task-caller.ts';
import { SLOWLY } from './scripted-mind.ts';
import { beginScript, generationOnce, SCRIPT } from './scripting.ts';
import { startAlone } from './word-hosts.ts';
import { startWordSurroundings, type WordSurroundings } from './word-world.ts';

/** Runs `test` on an origin that it may kill, and start again on the same place. */
async function withMortalOrigin(
  test: (
    host: RunningProcess,
    restart: () => Promise<RunningProcess>,
    around: WordSurroundings,
  ) => Promise<void>,
): Promise<void> {
  const around = await startWordSurroundings();
  const place = await makeOriginPlaceWithDatabase();
  const hosts = [await startAlone(around.settings, place)];
  try {
    const [first] = hosts;
    if (first === undefined) throw new Error('no host');
    await test(
      first,
      async () => {
        const next = await startAlone(around.settings, place);
        hosts.push(next);
        return next;
      },
      around,
    );
  } finally {
    await Promise.all(hosts.map((host) => host.kill()));
    await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
    await around.close();
  }
}

describe('an origin alone that dies', () => {
  it('SCRIPT-7, TASK-70: kill -9 in mid-script: it goes on after the restart, and pays for no part twice', async () => {
    await withMortalOrigin(async (host, restart, { vendor }) => {
      const caller = await taskCaller(host.baseUrl, 'script-killed');
      const description = `${SCRIPT.description} ${SLOWLY}`;
      const length = 700;
      const { generation_id: id } = await beginScript(caller, {
        description,
        length_target: length,
      });
      const before = await generationOnce(
        caller,
        id,
        ({ partial_text: text = '' }) => countWords(text) > length / 2,
      );
      const asked = vendor.requests.length;
      await host.kill();
      await restart();
      const done = await generationOnce(caller, id);
      expect(done.status).toBe('succeeded');
      const firstWords = before.partial_text?.slice(0, 200) ?? '-';
      expect(done.text?.startsWith(firstWords)).toBe(true);
      expect(Math.abs(countWords(done.text ?? '') - length)).toBeLessThanOrEqual(length / 10);
      // The parts that were whole are not written again: the rest takes fewer calls than the whole.
      expect(vendor.requests.length - asked).toBeLessThan(asked + 1);
      // What is done stays done.
      const text = done.text ?? '';
      expect((await generationOnce(caller, id)).text).toBe(text);
    });
  }, 120_000);

  it('CHAT-17, RAG-10, DB-6: kill -9: what was said to be kept is there, a turn in the middle is settled', async () => {
    await withMortalOrigin(async (host, restart) => {
      const caller = await taskCaller(host.baseUrl, 'chat-killed');
      const first = await caller.ask('POST', '/ai/chat', { message: 'The code word is plover.' });
      const session = String(first.body['session_id']);
      const document = await caller.ask('POST', '/ai/rag/documents', {
        text: 'The lighthouse of Skerry was built by Ferguson.',
        title: 'Skerry',
      });
      expect(document.status).toBe(201);
      const slow = scriptedPrompt({ tokens: 400, delayMs: 20 });
      const cut = caller
        .ask('POST', '/ai/chat', { message: slow, session_id: session })
        .catch(() => undefined);
      const messages = async () =>
        (await caller.ask<{ messages: { status: string }[] }>('GET', `/ai/chat/${session}`)).body
          .messages;
      await expect.poll(async () => (await messages()).at(-1)?.status).toBe('pending');
      await host.kill();
      await cut;
      await restart();
      expect((await messages()).slice(0, 2)).toMatchObject([
        { content: 'The code word is plover.' },
        { status: 'completed' },
      ]);
      // The answer begins again, or has failed: it does not hang, and the conversation goes on.
      await expect
        .poll(async () => (await messages()).at(-1)?.status, { timeout: 30_000 })
        .not.toBe('pending');
      const next = await caller.ask('POST', '/ai/chat', {
        message: 'What did I say?',
        session_id: session,
      });
      expect(next.body['response']).toContain('plover');
      const found = await caller.ask('POST', '/ai/rag', {
        query: 'Who built the lighthouse, Ferguson?',
      });
      expect(found.body).toMatchObject({ found: true });
    });
  }, 120_000);
});
