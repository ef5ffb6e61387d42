import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { expect, it } from 'vitest';
import * as answers from './schema/answers.ts';
import * as characters from './schema/characters.ts';
import * as chat from './schema/chat.ts';
import * as passages from './schema/passages.ts';
import * as scripts from './schema/scripts.ts';

const META = join(import.meta.dirname, 'migrations/meta');

it('DB-1: the migrations make what the code believes in', async () => {
  const journal = JSON.parse(readFileSync(join(META, '_journal.json'), 'utf8')) as {
    entries: { idx: number }[];
  };
  const last = String(journal.entries.at(-1)?.idx ?? 0).padStart(4, '0');
  const kept = JSON.parse(readFileSync(join(META, `${last}_snapshot.json`), 'utf8'));
  const schema = { ...answers, ...characters, ...chat, ...passages, ...scripts };
  const missing = await generateMigration(kept, generateDrizzleJson(schema, kept.id));
  // What is missing is written by `node origin/src/database/write-migration.ts NAME`.
  expect(missing).toEqual([]);
});
