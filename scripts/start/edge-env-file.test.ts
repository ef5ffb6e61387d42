import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatEnvFile, writeEdgeEnvFile } from './edge-env-file.ts';

test.each([
  ['a plain value', 'abc,def', "'abc,def'"],
  ['a value with a dollar sign', 'a$HOME', "'a\\$HOME'"],
  ['a value with a single quote', "it's", '"it\'s"'],
  ['a value that double quotes would change', "it's \\n", "`it's \\n`"],
])('%s is quoted so that it comes back unchanged', (_title, value, quoted) => {
  expect(formatEnvFile({ NAME: value })).toBe(`NAME=${quoted}\n`);
});

test('a value with every kind of quote is refused by name, without showing it', () => {
  expect(() => formatEnvFile({ NAME: `'"\`` })).toThrow(
    'NAME mixes all kinds of quotes, which the edge cannot be given.',
  );
});

test('the file is readable by its owner only, even where an open one was', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headwater-env-'));
  const file = join(folder, 'edge.env');
  writeFileSync(file, 'old', { mode: 0o644 });
  writeEdgeEnvFile(file, { A: 'b' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  rmSync(folder, { recursive: true });
});
