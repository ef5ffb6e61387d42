/** A real Postgres server for the tests that need one. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.ts';

const { HEADWATER_POSTGRES } = process.env;

/** Time a server has to come up, in ms, and the pause between two looks at it. */
const START_TIMEOUT_MS = 20_000;
const LOOK_MS = 25;

/** Nothing of a test has to outlive a power cut. */
const SERVER_OPTIONS = ['fsync=off', 'full_page_writes=off', 'max_connections=60'];

/** A server on a loopback port, with a temp folder of its own. */
export interface PostgresServer {
  /** A new, empty database on it. */
  createDatabase(): Promise<string>;
  /** Ends it at once, as a crash would; `restart` brings it back. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Ends it and deletes its folder. */
  stop(): Promise<void>;
}

/** Where Debian keeps the programs of each version. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** The server's path: `HEADWATER_POSTGRES`, or Debian's newest. */
function findPostgres(): string | undefined {
  if (HEADWATER_POSTGRES) return HEADWATER_POSTGRES;
  if (!existsSync(DEBIAN_FOLDER)) return undefined;
  return readdirSync(DEBIAN_FOLDER)
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => join(DEBIAN_FOLDER, version, 'bin', 'postgres'))
    .find((path) => existsSync(path));
}

/** Why the Postgres suites cannot run here; undefined where they can. */
export function postgresMissing(): string | undefined {
  if (findPostgres() !== undefined) return undefined;
  return `no postgres in ${DEBIAN_FOLDER}: install postgresql or set HEADWATER_POSTGRES`;
}

/** Postgres refuses to run as root: there it runs as the user that its package made. */
function runAs(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Starts a server. */
export async function startPostgres(): Promise<PostgresServer> {
  const program = findPostgres();
  if (program === undefined) throw new Error(postgresMissing());
  const folder = await mkdtemp(join(tmpdir(), 'headwater-postgres-'));
  const user = runAs();
  if (user.uid !== undefined && user.gid !== undefined) await chown(folder, user.uid, user.gid);
  const initdb = join(dirname(program), 'initdb');
  const flags = ['-D', join(folder, 'data'), '-U', 'headwater', '-A', 'trust', '-E', 'UTF8'];
  execFileSync(initdb, [...flags, '--no-sync', '--locale=C'], {
    ...user,
    cwd: folder,
    stdio: 'ignore',
  });
  const port = await freePort();
  let child = await launch(program, folder, port, user);
  let databases = 0;
  return {
    async createDatabase() {
      databases += 1;
      const name = `test_${databases}`;
      await query(port, `create database ${name}`);
      return `postgres://headwater@127.0.0.1:${port}/${name}`;
    },
    kill: () => end(child),
    async restart() {
      await end(child);
      child = await launch(program, folder, port, user);
    },
    async stop() {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * It ends with the pipe of its input, so that a test runner that is killed leaves no server behind.
 */
const GUARD = `
exec 3<&0
"$0" "$@" </dev/null 3<&- &
server=$!
(read -r line <&3; kill -QUIT $server) &
wait $server
`;

async function launch(
  program: string,
  folder: string,
  port: number,
  user: { uid?: number; gid?: number },
): Promise<ChildProcess> {
  const settings = [
    ...SERVER_OPTIONS,
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
  ].flatMap((setting) => ['-c', setting]);
  const child = spawn('sh', ['-c', GUARD, program, '-D', join(folder, 'data'), ...settings], {
    ...user,
    cwd: folder,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const untilMs = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < untilMs) {
    if (child.exitCode !== null) throw new Error('postgres ended before it answered');
    try {
      await query(port, 'select 1');
      return child;
    } catch {
      // It is not up yet.
      await sleep(LOOK_MS);
    }
  }
  await end(child);
  throw new Error(`postgres did not answer within ${START_TIMEOUT_MS} ms`);
}

async function query(port: number, text: string): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'headwater',
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
  });
  // Told again by whatever waits for it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

/** By its input's end: SIGQUIT, Postgres' immediate shutdown, which recovers at the next start. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin?.destroy();
  await exited;
}
