import { scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import type { WordWorld } from './word-world.ts';

/** A tenth of a second. */
const SILENCE = Buffer.alloc(3200).toString('base64');

const DETAILS = { name: 'Mira', personality: 'dry and patient', traits: ['counts everything'] };

export function describeActing(world: () => WordWorld): void {
  it('CHAR-7: makes a context and rules, and answers in character with them', async () => {
    const caller = await world().caller('acts');
    const context = await caller.ask('POST', '/generate-context', {
      user_input: 'Tell me of the harbour.',
      character_details: DETAILS,
    });
    expect(context.status).toBe(200);
    expect(context.body).toMatchObject({ context: expect.any(String), rules: expect.any(Array) });
    expect(context.body['context']).toContain('Mira');
    const { status, body } = await caller.ask('POST', '/generate-response', {
      user_query: scriptedPrompt({ text: 'Eleven boats today.' }),
      persona_context: context.body['context'] as string,
      rules: context.body['rules'] as string[],
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ response: expect.any(String), model: 'gpt-4.1' });
  });

  it('SPEECH-4, CHAR-8: interacts by text; by voice it says what is missing', async () => {
    const caller = await world().caller('interacts');
    const text = { user_input: 'Hello!', character_details: DETAILS, mode: 'text' };
    expect(await caller.ask('POST', '/interact', text)).toMatchObject({
      status: 200,
      body: { response: expect.any(String) },
    });
    const voice = await caller.ask('POST', '/interact', {
      ...text,
      mode: 'voice',
      audio_data: SILENCE,
    });
    expect(voice).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
    const empty = await caller.ask('POST', '/interact', { ...text, user_input: '' });
    expect(empty).toMatchObject({ status: 400, body: { error: { code: 'validation_failed' } } });
  });

  it('CHAR-10, CHAR-11: keeps characters of one’s own', async () => {
    const [one, other] = [await world().caller('owns-cast'), await world().caller('wants-cast')];
    const made = await one.ask('POST', '/characters', DETAILS);
    expect(made.status).toBe(201);
    const id = String(made.body['id'] ?? made.body['character_id']);
    expect((await one.ask('GET', `/characters/${id}`)).body).toMatchObject({ name: 'Mira' });
    expect((await other.ask('GET', `/characters/${id}`)).status).toBe(404);
    const used = { user_input: 'Hello!', character_details: { id }, mode: 'text' };
    expect((await one.ask('POST', '/interact', used)).status).toBe(200);
    expect((await other.ask('POST', '/interact', used)).status).toBe(404);
    expect((await one.ask('DELETE', `/characters/${id}`)).status).toBeLessThan(300);
    expect((await one.ask('GET', `/characters/${id}`)).status).toBe(404);
  });
}
