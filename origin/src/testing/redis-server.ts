/** A real redis-server for the tests that need one. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { freePort } from './free-port.ts';

const { HEADWATER_REDIS_SERVER } = process.env;

/** The server's path: `HEADWATER_REDIS_SERVER`, or Debian's place for it. */
const REDIS_SERVER_PATH = HEADWATER_REDIS_SERVER ?? '/usr/bin/redis-server';

/** Time a server has to come up, in ms. */
const START_TIMEOUT_MS = 10_000;

/** Pause between two looks at a server that comes up, in ms. */
const LOOK_MS = 15;

/** Ports tried before a start is given up: a free one may be taken before the server has it. */
const PORT_TRIES = 5;

/**
 * Runs the server until its own end or that of the input, then with SIGKILL: a test runner that is
 * killed runs no clean-up, and leaves no server behind.
 */
const GUARD = `
exec 3<&0
"$0" "$@" </dev/null 3<&- &
server=$!
(read -r line <&3; kill -9 $server) &
wait $server
`;

/** The guard; it ends with its server. */
type GuardedServer = ChildProcessByStdio<Writable, null, null>;

/** Why the Redis suites cannot run here; undefined where they can. */
export function redisMissing(): string | undefined {
  if (existsSync(REDIS_SERVER_PATH)) return undefined;
  return `no redis-server at ${REDIS_SERVER_PATH}: install it or set HEADWATER_REDIS_SERVER`;
}

/** A running server on a loopback port, with a temp folder of its own. */
export interface RedisServer {
  /** `redis://127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;
  /** Where it keeps its files. */
  readonly folder: string;
  /** Ends it with SIGKILL, as a crash would; `restart` brings it back. */
  kill(): Promise<void>;
  /** Starts it again on the same folder and port, with the same arguments. */
  restart(): Promise<void>;
  /** Ends it and deletes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts a server that keeps nothing on disk.
 *
 * @param args more of its options, e.g. `['--appendonly', 'yes']`; with these what it acknowledged
 *   outlives `kill`
 */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'headwater-redis-'));
  let { child, port } = await startOnFreePort(folder, args);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    kill: () => end(child),
    async restart() {
      await end(child);
      const started = await launch(port, folder, args);
      if (started === undefined)
        throw new Error(`redis-server did not start on port ${port} again`);
      child = started;
    },
    async stop() {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startOnFreePort(
  folder: string,
  args: readonly string[],
): Promise<{ child: GuardedServer; port: number }> {
  for (let attempt = 0; attempt < PORT_TRIES; attempt += 1) {
    const port = await freePort();
    const child = await launch(port, folder, args);
    if (child !== undefined) return { child, port };
  }
  throw new Error('redis-server did not start: is one of its arguments wrong?');
}

/** `undefined` where the server ended before it answered. */
async function launch(
  port: number,
  folder: string,
  args: readonly string[],
): Promise<GuardedServer | undefined> {
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const child = spawn('sh', ['-c', GUARD, REDIS_SERVER_PATH, ...own, ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const untilMs = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < untilMs) {
    if (child.exitCode !== null) return undefined;
    if (await answersPing(port)) return child;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await end(child);
  throw new Error(`redis-server did not answer within ${START_TIMEOUT_MS} ms`);
}

async function end(child: GuardedServer): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin.destroy();
  await exited;
}

/** False while it loads its files, or where nothing listens yet. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const answer = (isUp: boolean) => {
      socket.destroy();
      resolve(isUp);
    };
    socket.setTimeout(1000, () => answer(false));
    socket.once('data', (bytes) => answer(bytes.toString().startsWith('+PONG')));
    socket.once('error', () => answer(false));
    socket.once('close', () => resolve(false));
  });
}
