/** An origin that runs tasks, with the processes that its engines are. */

import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TEST_ENGINE } from '../../origin/src/testing/test-engine-task.ts';
import type { HostSettings, RunningProcess } from '../hosts/host.ts';
import { makeOriginPlace, type OriginPlace, startOriginHost } from '../hosts/origin-host.ts';

/** Names the node in the environment of its processes, which their engines inherit. */
const MARK = 'HEADWATER_TEST_NODE';

/** Folders of `DATA_DIR` in which files of tasks are, kept and on their way. */
const FILE_FOLDERS = ['blobs', 'incoming'];

/** Opens metrics and board, and lets an edge in. */
export const INTERNAL_KEY = 'canary-internal-key-of-edge-and-origin';

/** Engine processes of a node. */
export const WORKERS = 2;

/** What an origin of these tests is set to, beside the world around it. */
const TASK_SETTINGS: HostSettings = {
  TASK_ENGINES: TEST_ENGINE,
  INTERNAL_API_KEY: INTERNAL_KEY,
  MAX_WORKERS: String(WORKERS),
  WORKER_MEMORY_MB: '320',
  MAX_INPUT_BYTES: String(2 * 1024 * 1024),
  // Files that tests serve themselves.
  INPUT_ALLOWED_HOSTS: '127.0.0.1',
  SHUTDOWN_GRACE_SECONDS: '1',
};

/** A running node. */
export interface TaskNode extends RunningProcess {
  /** Process ids of its engines, and of what these have started. */
  processes(): number[];
  /** Stops it as a machine without time for it would; its engines go on. */
  pause(): void;
  resume(): void;
  /** Files of tasks in its `DATA_DIR`. */
  files(): Promise<readonly string[]>;
}

/** Starts a node; without a place of the caller's, what it keeps goes with it. */
export async function startTaskNode(
  settings: HostSettings,
  place?: OriginPlace,
): Promise<TaskNode> {
  const mark = randomUUID();
  const { port, folder } = place ?? (await makeOriginPlace());
  const host = await startOriginHost(
    { ...TASK_SETTINGS, ...settings, [MARK]: mark },
    { port, folder },
  );
  const ended = (end: () => Promise<void>) => async () => {
    await end();
    if (place === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  return {
    ...host,
    close: ended(host.close),
    kill: ended(host.kill),
    processes: () => processesWith(`${MARK}=${mark}`).filter((pid) => pid !== host.pid),
    pause: () => process.kill(host.pid, 'SIGSTOP'),
    resume: () => process.kill(host.pid, 'SIGCONT'),
    async files() {
      const found = await Promise.all(FILE_FOLDERS.map((name) => filesIn(join(folder, name))));
      return found.flat();
    },
  };
}

/** Ids of living processes that have this in their environment. */
function processesWith(variable: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        // A process that is dead and not yet reaped has no environment.
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(variable);
      } catch {
        // It ended while it was looked at, or is another user's.
        return false;
      }
    })
    .map(Number);
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch {
    // The folder is not of this kind of storage.
    return [];
  }
}
