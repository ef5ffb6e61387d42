import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isWebBuilt } from './web-build.ts';

let web: string;

beforeEach(() => {
  web = mkdtempSync(join(tmpdir(), 'headwater-web-'));
  for (const name of ['src', 'dist', 'node_modules']) mkdirSync(join(web, name));
  touch('src/main.ts', 100);
  touch('src', 100);
  touch('index.html', 100);
  touch('node_modules/newer', 900);
});

afterEach(() => rmSync(web, { recursive: true }));

/** Sets the time of a file, which is made when absent, or of a folder. */
function touch(path: string, seconds: number): void {
  if (path.includes('.') || path.endsWith('newer')) writeFileSync(join(web, path), '');
  utimesSync(join(web, path), seconds, seconds);
}

test('a page that was never built is stale', () => {
  expect(isWebBuilt(web)).toBe(false);
});

test('a page newer than all its sources is up to date, whatever was installed since', () => {
  touch('dist/index.html', 200);
  expect(isWebBuilt(web)).toBe(true);
});

test.each(['src/main.ts', 'index.html', 'src'])('a later change of %s makes it stale', (path) => {
  touch('dist/index.html', 200);
  touch(path, 300);
  expect(isWebBuilt(web)).toBe(false);
});
