import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isInstalled, readPackageManager } from './install.mjs';
import { computeInstallStamp, listPackageDirectories } from './install-stamp.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headwater-stamp-'));
  writeFileSync(join(root, 'pnpm-lock.yaml'), 'lock');
  writeFileSync(join(root, 'package.json'), '{"packageManager":"pnpm@1.2.3+sha512.abc"}');
  for (const name of ['edge', 'docs', 'node_modules']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'edge', 'package.json'), '{}');
  writeFileSync(join(root, 'node_modules', 'package.json'), '{}');
});

afterEach(() => rmSync(root, { recursive: true }));

function install(): void {
  mkdirSync(join(root, 'edge', 'node_modules'), { recursive: true });
  mkdirSync(join(root, 'node_modules', '.bin'), { recursive: true });
  writeFileSync(join(root, 'node_modules', '.bin', 'node'), '');
  writeFileSync(join(root, 'node_modules', '.headwater-install'), `${computeInstallStamp(root)}\n`);
}

test('only folders with a package.json of their own are packages', () => {
  expect(listPackageDirectories(root)).toEqual([join(root, 'edge')]);
});

test('the stamp is the same for the same files', () => {
  expect(computeInstallStamp(root)).toMatch(/^[0-9a-f]{64}$/);
  expect(computeInstallStamp(root)).toBe(computeInstallStamp(root));
});

test.each(['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', 'edge/package.json'])(
  'a change of %s changes the stamp',
  (file) => {
    const before = computeInstallStamp(root);
    writeFileSync(join(root, file), '{ "changed": true }');
    expect(computeInstallStamp(root)).not.toBe(before);
  },
);

test('text that moves from one file to the next changes the stamp', () => {
  writeFileSync(join(root, 'pnpm-lock.yaml'), 'ab');
  writeFileSync(join(root, 'pnpm-workspace.yaml'), 'c');
  const before = computeInstallStamp(root);
  writeFileSync(join(root, 'pnpm-lock.yaml'), 'a');
  writeFileSync(join(root, 'pnpm-workspace.yaml'), 'bc');
  expect(computeInstallStamp(root)).not.toBe(before);
});

test('a checkout counts as installed once the stamp matches', () => {
  expect(isInstalled(root)).toBe(false);
  install();
  expect(isInstalled(root)).toBe(true);
  writeFileSync(join(root, 'pnpm-lock.yaml'), 'newer lock');
  expect(isInstalled(root)).toBe(false);
});

test('a package whose node_modules was removed is installed again', () => {
  install();
  rmSync(join(root, 'edge', 'node_modules'), { recursive: true });
  expect(isInstalled(root)).toBe(false);
});

test('the installer is the pinned package manager without its hash', () => {
  expect(readPackageManager(root)).toBe('pnpm@1.2.3');
});
