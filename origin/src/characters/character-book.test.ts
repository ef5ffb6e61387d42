import { randomUUID } from 'node:crypto';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { personaOf } from '@headwater/shared/text/characters/character';
import { PREDEFINED_CHARACTERS } from '@headwater/shared/text/characters/predefined-characters';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../database/open-database.ts';
import { describeWithDatabases } from '../testing/describe-with-databases.ts';
import { createCharacterBook } from './character-book.ts';
import { createCharacterStore } from './character-store.ts';

const newOwner = () => `owner-${randomUUID()}`;
const PREDEFINED = PREDEFINED_CHARACTERS.size;

describeWithDatabases('the book of characters', (database) => {
  let nowMs = 1_000;
  const open = () =>
    createCharacterBook({
      store: createCharacterStore(database()),
      database: database(),
      clock: { nowMs: () => nowMs },
    });

  it('CHAR-10: keeps a character as it came, under an id of its own or of its caller', async () => {
    const [book, owner] = [open(), newOwner()];
    const details = { name: ' Ilse\u0000\nBrant ', lore: 'a\u0000\ud800b', traits: ['kind'] };
    const made = await book.add(owner, details);
    expect(made.id).toMatch(/^char_[0-9a-f]{32}$/);
    expect(made).toMatchObject({ name: 'Ilse Brant', kind: 'custom', version: 1, summary: null });
    await expect(book.read(owner, made.id)).resolves.toEqual(made);
    expect(made.details).toEqual(details);

    const named = await book.add(owner, { id: 'ilse', name: 'Ilse', description: 'A baker.' });
    expect(named).toMatchObject({ id: 'ilse', summary: 'A baker.' });
    expect(named.details).not.toHaveProperty('id');
    await expect(book.add(owner, { id: 'ilse', name: 'Other' })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(book.add(owner, { id: 'Il se', name: 'Other' })).rejects.toMatchObject({
      code: 'validation_failed',
    });
  });

  it('CHAR-10: lists the predefined ones first, then its own, newest first', async () => {
    const [book, owner] = [open(), newOwner()];
    for (const id of ['one', 'two', 'three']) {
      nowMs += 1;
      await book.add(owner, { id, name: id });
    }
    const { characters, missing } = await book.list(owner);
    expect(missing).toBeUndefined();
    expect(characters.slice(0, PREDEFINED).every(({ kind }) => kind === 'predefined')).toBe(true);
    expect(characters.slice(PREDEFINED).map(({ id }) => id)).toEqual(['three', 'two', 'one']);
  });

  it('CHAR-10: replaces the whole of one with the next version, and deletes it', async () => {
    const [book, owner] = [open(), newOwner()];
    const { id } = await book.add(owner, { name: 'Ilse', personality: 'loud' });
    nowMs += 10;
    const changed = await book.replace(owner, id, { name: 'Ilse II' });
    expect(changed).toMatchObject({ version: 2, name: 'Ilse II', details: { name: 'Ilse II' } });
    expect(changed.updated_at).not.toBe(changed.created_at);
    await book.remove(owner, id);
    for (const gone of [book.read(owner, id), book.remove(owner, id)]) {
      await expect(gone).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('CHAR-11: another owner’s character is unknown, and its id is free', async () => {
    const [book, owner, other] = [open(), newOwner(), newOwner()];
    await book.add(owner, { id: 'ilse', name: 'Ilse' });
    const attempts = [
      () => book.read(other, 'ilse'),
      () => book.replace(other, 'ilse', { name: 'Mine' }),
      () => book.remove(other, 'ilse'),
      () => book.resolve(other, { id: 'ilse' }),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'not_found',
        message: 'There is no such character.',
      });
    }
    await book.add(other, { id: 'ilse', name: 'Other Ilse' });
    await expect(book.read(owner, 'ilse')).resolves.toMatchObject({ name: 'Ilse' });
  });

  it('CHAR-11: predefined ids are reserved, and nobody changes them', async () => {
    const [book, owner] = [open(), newOwner()];
    await expect(book.add(owner, { id: 'hedgerow-fox', name: 'Mine' })).rejects.toMatchObject({
      code: 'conflict',
    });
    const attempts = [
      () => book.replace(owner, 'hedgerow-fox', { name: 'Mine' }),
      () => book.remove(owner, 'hedgerow-fox'),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({ code: 'forbidden' });
    }
    await expect(book.read(owner, 'hedgerow-fox')).resolves.toMatchObject({ name: 'Rusk' });
  });

  it('CHAR-3: details mean a known character, which they may change, or describe one', async () => {
    const [book, owner] = [open(), newOwner()];
    await book.add(owner, { id: 'ilse', name: 'Ilse', personality: 'loud', traits: ['kind'] });
    for (const named of ['ilse', { id: 'ilse' }, { character_id: 'ilse' }]) {
      const { id, persona } = await book.resolve(owner, named);
      expect(id).toBe('ilse');
      expect(persona).toEqual(personaOf({ name: 'Ilse', personality: 'loud', traits: ['kind'] }));
    }
    const changed = await book.resolve(owner, { id: 'ilse', personality: 'quiet' });
    expect(changed.persona).toMatchObject({ name: 'Ilse', personality: 'quiet' });
    await expect(book.resolve(owner, 'hedgerow-fox')).resolves.toMatchObject({
      persona: { name: 'Rusk' },
    });
    // The ids of the caller's own platform, and any other text, are no ids of ours.
    await expect(book.resolve(owner, { id: 42, name: 'Bo' })).resolves.toMatchObject({
      id: null,
      persona: { name: 'Bo' },
    });
    await expect(book.resolve(owner, 'pirate')).resolves.toMatchObject({
      id: null,
      persona: { description: 'pirate' },
    });
  });

  it('CHAR-3: an id that nobody knows, and nothing beside it, is not found', async () => {
    const book = open();
    const unknown = [{ id: 'nobody' }, { id: 'a\u0000b' }, { id: 7, greeting: 'Hi' }];
    for (const details of [...unknown, `char_${'0'.repeat(32)}`]) {
      await expect(book.resolve(newOwner(), details)).rejects.toMatchObject({ code: 'not_found' });
    }
  });
});

describe('the book of characters without a database', () => {
  const database = openDatabase({ redisUrl: 'redis://x', dataDir: 'd' }, createSilentLogger());
  const book = createCharacterBook({
    store: createCharacterStore(database),
    database,
    clock: { nowMs: () => 0 },
  });

  it('CHAR-12: serves the predefined ones and described ones, and says what is missing', async () => {
    const { characters, missing } = await book.list('o');
    expect(characters).toHaveLength(PREDEFINED);
    expect(missing).toContain('DATABASE_URL');
    await expect(book.read('o', 'hedgerow-fox')).resolves.toMatchObject({ name: 'Rusk' });
    await expect(book.read('o', 'ilse')).rejects.toMatchObject({ code: 'not_found' });
    await expect(book.resolve('o', { id: 'hedgerow-fox' })).resolves.toMatchObject({
      persona: { name: 'Rusk' },
    });
    await expect(book.resolve('o', { id: 'x', name: 'Bo' })).resolves.toMatchObject({ id: null });
    await expect(book.add('o', { name: 'Bo' })).rejects.toMatchObject({ code: 'unavailable' });
  });
});
