import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandFault } from '../processes/command.ts';
import { type SupervisedProcess, startSupervised } from '../processes/supervised-process.ts';
import { writeEdgeEnvFile } from './edge-env-file.ts';
import { type HealthReport, waitForHealth } from './health.ts';
import {
  type Environment,
  omitEdgeSettings,
  pickEdgeSettings,
  type StackPorts,
} from './settings.ts';
import { createWranglerLogFilter } from './wrangler-log.ts';

/** What the stack is started from. */
export type StackOptions = {
  /** Repository root. */
  readonly root: string;
  /** Complete settings: development secrets and defaults are in it already. */
  readonly environment: Environment;
  readonly ports: StackPorts;
  readonly originOnly: boolean;
  readonly stop: AbortSignal;
  /** Called once, when every part answers. */
  readonly onReady: (health: HealthReport) => Promise<void>;
};

/**
 * Runs origin and edge until they are stopped or one of them ends, and leaves no process behind.
 * The origin comes first, and the edge only once it answers: a bad setting, which both would
 * complain about, is then told once.
 *
 * @returns resolves after `stop`; rejects with a `CommandFault` when a part ends by itself, or is
 *   not ready in time. Its message is empty where the part has said why itself.
 */
export async function runStack(options: StackOptions): Promise<void> {
  const { ports, originOnly, stop, onReady } = options;
  const running: SupervisedProcess[] = [];
  const edgeEnvFile = join(dataDirectory(options), `edge-${ports.edge}.env`);
  try {
    const origin = startOrigin(options);
    running.push(origin);
    let health = await whileRunning(running, stop, (until) =>
      waitForHealth('origin', `http://127.0.0.1:${ports.origin}`, until),
    );
    if (!originOnly && health !== undefined) {
      running.push(startEdge(options, edgeEnvFile));
      health = await whileRunning(running, stop, (until) =>
        waitForHealth('edge', `http://127.0.0.1:${ports.edge}`, until),
      );
    }
    if (health === undefined) return;
    await onReady(health);
    await whileRunning(running, stop, () => new Promise<never>(() => undefined), 'ready');
  } finally {
    await Promise.all(running.map((part) => part.stop()));
    rmSync(edgeEnvFile, { force: true });
  }
}

/**
 * Does `work` for as long as all parts run.
 *
 * @returns what the work gives, or undefined when stopped
 */
async function whileRunning<T>(
  running: readonly SupervisedProcess[],
  stop: AbortSignal,
  work: (until: AbortSignal) => Promise<T>,
  phase: 'starting' | 'ready' = 'starting',
): Promise<T | undefined> {
  const over = new AbortController();
  const until = AbortSignal.any([stop, over.signal]);
  const stopped = new Promise<undefined>((finish) => {
    if (stop.aborted) finish(undefined);
    else stop.addEventListener('abort', () => finish(undefined), { once: true });
  });
  const death = Promise.race(
    running.map(async (part) => {
      const ending = await part.ended;
      if (stop.aborted) return undefined;
      // What could not start has said why itself, in its own sentence.
      const explained = phase === 'starting' && part.hasComplained();
      throw new CommandFault(explained ? '' : `The ${part.name} ended unexpectedly (${ending}).`);
    }),
  );
  const working = work(until).catch((error: unknown) => {
    // An abort is how this function itself ends the work; the other two of the race say why.
    if (until.aborted) return new Promise<never>(() => undefined);
    throw error;
  });
  try {
    return await Promise.race([working, stopped, death]);
  } finally {
    over.abort();
    // It may still reject when the parts are stopped, with nobody left to listen.
    death.catch(() => undefined);
  }
}

function startOrigin({ root, environment, ports }: StackOptions): SupervisedProcess {
  return startSupervised({
    name: 'origin',
    command: [process.execPath, join(root, 'origin', 'src', 'main.ts')],
    cwd: root,
    env: { ...environment, HOST: '127.0.0.1', PORT: String(ports.origin) },
    onLine: (line, from) => process[from].write(`${line}\n`),
  });
}

function startEdge(options: StackOptions, envFile: string): SupervisedProcess {
  const { root, environment, ports } = options;
  const data = dataDirectory(options);
  writeEdgeEnvFile(envFile, {
    ...pickEdgeSettings(environment),
    ORIGIN_URL: `http://127.0.0.1:${ports.origin}`,
  });
  const args = ['--config', join(root, 'edge', 'wrangler.jsonc'), '--ip', '127.0.0.1'];
  args.push('--port', String(ports.edge), '--env-file', envFile);
  args.push('--persist-to', join(data, 'edge'), '--log-level', 'log');
  // Port 0: any free one, so that a second stack does not meet the first one's debugger.
  args.push('--show-interactive-dev-session=false', '--inspector-port', '0');
  const filter = createWranglerLogFilter();
  return startSupervised({
    name: 'edge',
    command: [
      process.execPath,
      join(root, 'edge', 'node_modules', 'wrangler', 'bin', 'wrangler.js'),
      'dev',
      ...args,
    ],
    cwd: join(root, 'edge'),
    env: {
      ...omitEdgeSettings(environment),
      WRANGLER_HIDE_BANNER: 'true',
      WRANGLER_LOG_PATH: join(data, 'wrangler-logs'),
      WRANGLER_REGISTRY_PATH: join(data, `wrangler-registry-${ports.edge}`),
    },
    onLine: (line) => {
      const kept = filter(line);
      if (kept !== undefined) process.stdout.write(`${kept}\n`);
    },
  });
}

function dataDirectory({ root, environment }: StackOptions): string {
  return resolve(root, environment['DATA_DIR'] ?? '.data');
}
