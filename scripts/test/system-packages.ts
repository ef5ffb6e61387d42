import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runProcess } from '../processes/run-process.ts';

/** A program from the system's packages that some tests run for real. */
export type SystemPackage = {
  /** What to look for on PATH. */
  readonly binary: string;
  readonly debianPackage: string;
  /** The tests that need it, in words. */
  readonly neededFor: string;
  /** The environment variable that tells the tests where it is. */
  readonly variable: string;
};

/** What the tests use. */
export const SYSTEM_PACKAGES: readonly SystemPackage[] = [
  {
    binary: 'chromium',
    debianPackage: 'chromium',
    neededFor: 'the browser tests',
    variable: 'HEADWATER_CHROMIUM',
  },
  {
    binary: 'curl',
    debianPackage: 'curl',
    neededFor: 'the tests that read a stream as the README shows it',
    variable: 'HEADWATER_CURL',
  },
  {
    binary: 'redis-server',
    debianPackage: 'redis-server',
    neededFor: 'the tests of the cluster',
    variable: 'HEADWATER_REDIS_SERVER',
  },
  {
    binary: 'postgres',
    debianPackage: 'postgresql',
    neededFor: 'the tests of the database server',
    variable: 'HEADWATER_POSTGRES',
  },
];

/** The ports of `provideSystemPackages`. */
export type PackagePorts = {
  /** Path of a program, or undefined when it is not installed. */
  readonly find: (binary: string) => string | undefined;
  /** Installs a Debian package; gives the reason when it could not, undefined when it did. */
  readonly install: (debianPackage: string) => Promise<string | undefined>;
  readonly print: (line: string) => void;
};

/**
 * Finds the programs that tests need and installs what is missing. What cannot be had costs a line
 * of text; the tests that need it then skip visibly, or fail under CI.
 *
 * @param env a variable set in it already names the program to use
 * @returns environment variables with the path of each program that is there
 */
export async function provideSystemPackages(
  packages: readonly SystemPackage[],
  env: NodeJS.ProcessEnv,
  { find, install, print }: PackagePorts,
): Promise<Record<string, string>> {
  const paths: Record<string, string> = {};
  for (const { binary, debianPackage, neededFor, variable } of packages) {
    let path = env[variable] || find(binary);
    if (path === undefined) {
      const reason = await install(debianPackage);
      path = find(binary);
      if (path === undefined) {
        print(
          `Install ${binary} (Debian package ${debianPackage}) to run ${neededFor}: ${reason ?? 'it is not on PATH'}.`,
        );
      }
    }
    if (path !== undefined) paths[variable] = path;
  }
  return paths;
}

/** Debian keeps the server of each version of Postgres in a folder of its own, off PATH. */
const POSTGRES_FOLDER = '/usr/lib/postgresql';

/** Looks a program up on PATH, then where Debian keeps servers; of several versions the newest. */
export function findProgram(binary: string): string | undefined {
  const versions = existsSync(POSTGRES_FOLDER) ? readdirSync(POSTGRES_FOLDER) : [];
  const folders = versions
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => join(POSTGRES_FOLDER, version, 'bin'));
  return findOnPath(binary) ?? findOnPath(binary, folders.join(delimiter));
}

/** Looks a program up on PATH. */
export function findOnPath(binary: string, path = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, binary))
    .find(isExecutableFile);
}

function isExecutableFile(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Absent or not ours to run: either way the search goes on.
    return false;
  }
}

/**
 * Installs a Debian package with apt-get, quietly.
 *
 * @returns why it could not be installed, or undefined when it was
 */
export async function installDebianPackage(
  name: string,
  stop: AbortSignal,
): Promise<string | undefined> {
  if (findOnPath('apt-get') === undefined) return 'there is no apt-get here';
  if (process.getuid?.() !== 0) return 'installing it takes root';
  process.stdout.write(`Installing the Debian package ${name}…\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', name]]) {
    const command = ['-qq', ...args];
    const result = await runProcess('apt-get', command, { cwd: '/', env, stop, output: 'capture' });
    if (result.exitCode !== 0) {
      process.stderr.write(result.output);
      return `apt-get ${args[0]} ended with exit code ${result.exitCode}`;
    }
  }
  return undefined;
}
