import { describe, expect, it } from 'vitest';
import {
  characterDetailsSchema,
  characterObjectSchema,
  describesSomebody,
  namedIdOf,
  overridePersona,
  personaOf,
} from './character.ts';
import { PREDEFINED_CHARACTERS } from './predefined-characters.ts';

const refused = (details: unknown) =>
  characterDetailsSchema.safeParse(details).error?.issues.map(({ message }) => message);

function nested(levels: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

describe('character details', () => {
  it('CHAR-1: are a text, or an object with at least one known field', () => {
    expect(refused('A baker who sings.')).toBeUndefined();
    expect(refused({ name: 'Ilse', shoe_size: 38 })).toBeUndefined();
    expect(refused({ id: 42 })).toBeUndefined();
    for (const nobody of ['', '  ', {}, { shoe_size: 38 }, { name: ' ' }, null, 7, []]) {
      expect(refused(nobody), JSON.stringify(nobody)).toBeDefined();
    }
  });

  it('CHAR-1: keep further fields in their order, with whatever is in them as text', () => {
    const details = characterObjectSchema.parse({
      name: 'Ilse',
      age: 61,
      home: { town: 'Aalen', floors: [1, 2] },
      nothing: null,
    });
    expect(personaOf(details).further).toEqual([
      { name: 'age', text: '61' },
      { name: 'home', text: '{"town":"Aalen","floors":[1,2]}' },
    ]);
  });

  it('CHAR-1: are bounded in length, number and depth', () => {
    expect(refused({ name: 'x'.repeat(121) })).toBeDefined();
    expect(refused({ name: 'a', traits: Array(51).fill('t') })).toBeDefined();
    expect(refused({ name: 'a', lore: nested(3) })).toBeUndefined();
    expect(refused({ name: 'a', lore: nested(4) })?.join()).toContain('levels deep');
    // As deep as a body of 2 MiB can be: it is refused, and overflows no stack.
    expect(refused({ name: 'a', lore: nested(1_000_000) })?.join()).toContain('levels deep');
    expect(refused({ name: 'a', lore: 'x'.repeat(40_000) })?.join()).toContain('too long');
    const many = Object.fromEntries(Array.from({ length: 41 }, (_, n) => [`f${n}`, n]));
    expect(refused({ name: 'a', ...many })?.join()).toContain('further fields');
  });

  it('CHAR-1: both names of a field count, and lists may be texts', () => {
    const persona = personaOf({
      name: 'Ilse',
      backstory: 'Born at sea.',
      background: ['Baker.', 'Singer.'],
      traits: 'loud',
      boundaries: ['No recipes.'],
      rules: 'Rhyme.',
      voice: { voice_name: 'alto', speed: 2 },
    });
    expect(persona).toMatchObject({
      background: 'Born at sea.\nBaker.\nSinger.',
      traits: ['loud'],
      boundaries: ['No recipes.', 'Rhyme.'],
      voiceName: 'alto',
    });
  });

  it('CHAR-1: lose control characters and halves of surrogate pairs', () => {
    const { name, background } = personaOf({
      name: 'Il\u0000se\u001b',
      backstory: 'a\ud800b\r\nc',
    });
    expect(name).toBe('Ilse');
    expect(background).toBe('a\ufffdb\nc');
  });

  it('CHAR-3: name an id as text, number or `character_id`', () => {
    expect(namedIdOf({ id: 42 })).toBe('42');
    expect(namedIdOf({ character_id: 'fox' })).toBe('fox');
    expect(namedIdOf('hedgerow-fox')).toBe('hedgerow-fox');
    expect(namedIdOf({ name: 'Rusk', id: null })).toBeUndefined();
  });

  it('CHAR-3: put what is said in place of what is kept, and keep the rest', () => {
    const kept = personaOf({ name: 'Ilse', personality: 'loud', traits: ['kind'] });
    const mixed = overridePersona(kept, personaOf({ id: 'ilse', personality: 'quiet' }));
    expect(mixed).toMatchObject({ name: 'Ilse', personality: 'quiet', traits: ['kind'] });
    expect(describesSomebody(personaOf({ id: 'ilse', greeting: 'Hi' }))).toBe(false);
    expect(describesSomebody(personaOf({ id: 'ilse', traits: ['kind'] }))).toBe(true);
  });
});

describe('predefined characters', () => {
  it('CHAR-2: are about eight, valid, each under its own id', () => {
    expect(PREDEFINED_CHARACTERS.size).toBe(8);
    for (const [id, character] of PREDEFINED_CHARACTERS) {
      expect(character.id).toBe(id);
      expect(id).toMatch(/^[a-z]+(-[a-z]+)+$/);
      expect(character.version).toBeGreaterThanOrEqual(1);
      expect(characterObjectSchema.parse(character.details)).toEqual(character.details);
      expect(personaOf(character.details).greeting).not.toBe('');
    }
  });
});
