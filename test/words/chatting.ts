import { scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { eventsOf, postForText, textIn } from './generating.ts';
import type { WordWorld } from './word-world.ts';

export function describeChatting(world: () => WordWorld): void {
  it('CHAT-1: remembers what was said, whichever instance is asked next', async () => {
    const caller = await world().caller('chats');
    const first = await caller.ask('POST', '/ai/chat', { message: 'My boat is called Otter.' });
    expect(first.status).toBe(200);
    const { session_id: session } = first.body;
    for (let turn = 0; turn < 3; turn += 1) {
      const { body } = await caller.ask('POST', '/ai/chat', {
        message: 'What did I say?',
        session_id: session as string,
      });
      expect(body).toMatchObject({ session_id: session });
      expect(body['response']).toContain('My boat is called Otter.');
    }
    const { body } = await caller.ask('GET', `/ai/chat/${session}`);
    expect(body['messages']).toHaveLength(8);
    const list = await caller.ask('GET', '/ai/chat');
    expect(JSON.stringify(list.body)).toContain(String(session));
  });

  it('CHAT-16: a streamed turn is remembered as well, and says its session first', async () => {
    const { headers, ask } = await world().caller('streams-chat');
    const message = scriptedPrompt({ text: 'The locks open at six.' });
    const answer = await postForText(world(), headers, '/ai/chat', { message, stream: true });
    const [note, ...events] = eventsOf(answer.text);
    expect(note).toMatchObject({ type: 'note', data: { session_id: expect.any(String) } });
    expect(textIn(events)).toBe('The locks open at six.');
    const { session_id: session } = (note as { data: { session_id: string } }).data;
    const kept = async () => (await ask('GET', `/ai/chat/${session}`)).body['messages'];
    await expect
      .poll(kept)
      .toMatchObject([
        {},
        { content: 'The locks open at six.', cost: { total_usd: expect.any(Number) } },
      ]);
  });

  it('CHAT-1, CHAT-15: a conversation is its caller’s own, and gone once it is deleted', async () => {
    const [one, other] = [await world().caller('owns-chat'), await world().caller('wants-chat')];
    const { body } = await one.ask('POST', '/ai/chat', { message: 'Hello.' });
    const path = `/ai/chat/${body['session_id']}`;
    expect((await other.ask('GET', path)).status).toBe(404);
    expect((await other.ask('DELETE', path)).status).toBe(404);
    const steal = { message: 'And?', session_id: String(body['session_id']) };
    expect((await other.ask('POST', '/ai/chat', steal)).status).toBe(404);
    expect((await one.ask('DELETE', path)).status).toBeLessThan(300);
    expect((await one.ask('GET', path)).status).toBe(404);
    expect((await one.ask('POST', '/ai/chat', steal)).status).toBe(404);
  });
}
