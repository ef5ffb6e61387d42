/** A running host, as a black-box test sees it: a base URL and what it printed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** Repository root. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Settings by name, as a user would set them. */
export type HostSettings = Readonly<Record<string, string>>;

/** A host under test. */
export interface RunningHost {
  readonly baseUrl: string;
  /** Everything it has printed so far. */
  logs(): string;
  /** Ends it as an operator would, and waits until it is gone. */
  close(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

/** A host that is a process of this machine. */
export interface RunningProcess extends RunningHost {
  /** Of the process that was started, which leads a group of its own. */
  readonly pid: number;
}

/** First port of the range that test files share; below those the system gives out by itself. */
const FIRST_PORT = 20_000;

/** Ports of one worker: workers run side by side, and must not be given the same one. */
const PORTS_A_WORKER = 1_000;

/** Where Node keeps what it has compiled, when whoever runs the tests names a place: hosts start often. */
const { NODE_COMPILE_CACHE } = process.env;
const COMPILE_CACHE = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };

let nextPort = 0;

/** A port of 127.0.0.1 that nobody else uses. */
export async function freePort(): Promise<number> {
  const first = FIRST_PORT + (Number(process.env['VITEST_POOL_ID'] ?? 0) % 10) * PORTS_A_WORKER;
  for (;;) {
    const port = first + ((nextPort + process.pid) % PORTS_A_WORKER);
    nextPort += 1;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('listening', () => resolve(true));
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1');
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Starts a command in its own process group and waits until `/health` answers. */
export async function startHost(
  command: string,
  args: readonly string[],
  options: { port: number; env: NodeJS.ProcessEnv; cwd: string },
): Promise<RunningProcess> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...COMPILE_CACHE, ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const host: RunningProcess = {
    baseUrl: `http://127.0.0.1:${options.port}`,
    // Without one the command could not be started, and the host is not healthy.
    pid: child.pid ?? 0,
    logs: () => output,
    close: () => endGroup(child, 'SIGTERM'),
    kill: () => endGroup(child, 'SIGKILL'),
  };
  try {
    await untilHealthy(host, child);
  } catch (thrown) {
    await host.kill();
    throw thrown;
  }
  return host;
}

async function untilHealthy(host: RunningHost, child: ChildProcess): Promise<void> {
  const untilMs = Date.now() + 60_000;
  while (Date.now() < untilMs) {
    if (child.exitCode !== null) throw new Error(`the host ended:\n${host.logs()}`);
    try {
      const response = await fetch(`${host.baseUrl}/health`);
      await response.arrayBuffer();
      if (response.ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the host did not answer in time:\n${host.logs()}`);
}

/** Signals the child's whole group, by its id, and waits until the child is gone. */
async function endGroup(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined) return;
  const gone =
    child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
  signalGroup(child.pid, signal);
  const late = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), 8_000);
  await gone;
  clearTimeout(late);
  // A leader that is gone may leave members behind: workerd, when wrangler was killed.
  signalGroup(child.pid, 'SIGKILL');
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}
