import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepDevSecrets } from './dev-secrets.ts';

let folder: string;
let data: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headwater-secrets-'));
  data = join(folder, '.data');
  file = join(data, 'secrets.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('secrets are made once, of 48 random bytes each, and kept', () => {
  const made = keepDevSecrets(data);
  expect(Buffer.from(made.JWT_SECRET, 'base64url')).toHaveLength(48);
  expect(made.INTERNAL_API_KEY).not.toBe(made.JWT_SECRET);
  expect(keepDevSecrets(data)).toEqual(made);
  expect(readdirSync(data)).toEqual(['secrets.json']);
});

test('the file is readable by its owner only, also after it was opened to others', () => {
  keepDevSecrets(data);
  expect(modeOf(file)).toBe(0o600);
  chmodSync(file, 0o644);
  keepDevSecrets(data);
  expect(modeOf(file)).toBe(0o600);
});

test.each(['', '{', 'null', '{"JWT_SECRET":"only"}', '{"JWT_SECRET":"a","INTERNAL_API_KEY":""}'])(
  'a file that holds %j is refused without quoting it',
  (content) => {
    keepDevSecrets(data);
    writeFileSync(file, content);
    expect(() => keepDevSecrets(data)).toThrow(
      `${file} does not hold the secrets it should: remove it to get new ones.`,
    );
  },
);
