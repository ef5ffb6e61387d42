/** `node origin/src/database/write-migration.ts NAME`: writes the migration that the schema's files ask for. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const origin = join(import.meta.dirname, '../..');
const folder = join(import.meta.dirname, 'migrations');
const name = process.argv[2] ?? 'change';

execFileSync(join(origin, 'node_modules/.bin/drizzle-kit'), ['generate', '--name', name], {
  cwd: origin,
  stdio: ['ignore', 'inherit', 'inherit'],
});
for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.sql'))) {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  // The search path says which schema a table is of.
  writeFileSync(path, text.replaceAll('"public".', ''));
}
