import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * The workspace packages: each folder directly under the root that has a package.json. The
 * workspace file is not parsed, since no YAML parser is there before the install.
 *
 * @param {string} root repository root
 * @returns {string[]} absolute paths, sorted
 */
export function listPackageDirectories(root) {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .filter((entry) => !entry.name.startsWith('.'))
    .map((entry) => join(root, entry.name))
    .filter((path) => existsSync(join(path, 'package.json')))
    .sort();
}

/**
 * A hash over everything that decides what an install puts on disk: the lock file, the workspace
 * file and every package.json. A file that is absent counts as absent.
 *
 * @param {string} root repository root
 * @returns {string} sha256, hexadecimal
 */
export function computeInstallStamp(root) {
  const files = [
    join(root, 'pnpm-lock.yaml'),
    join(root, 'pnpm-workspace.yaml'),
    join(root, 'package.json'),
    ...listPackageDirectories(root).map((path) => join(path, 'package.json')),
  ];
  const hash = createHash('sha256');
  for (const file of files) {
    const content = existsSync(file) ? readFileSync(file) : undefined;
    // Name and length first: otherwise text moved from one file to the next would hash the same.
    hash.update(`${relative(root, file)}\0${content?.length ?? 'absent'}\0`);
    if (content !== undefined) hash.update(content);
  }
  return hash.digest('hex');
}
