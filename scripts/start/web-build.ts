import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFault } from '../processes/command.ts';
import { runProcess } from '../processes/run-process.ts';

const NOT_SOURCES = new Set(['node_modules', 'dist']);

/**
 * Builds the web page unless `web/dist` is there and newer than every source of it.
 *
 * @param root repository root
 * @returns rejects with a `CommandFault` after showing vite's output, when the build fails
 */
export async function buildWebIfStale(root: string, stop: AbortSignal): Promise<void> {
  const web = join(root, 'web');
  if (isWebBuilt(web)) return;
  const vite = join(web, 'node_modules', 'vite', 'bin', 'vite.js');
  const { exitCode, output } = await runProcess(
    process.execPath,
    [vite, 'build', '--logLevel', 'warn'],
    { cwd: web, stop, output: 'capture' },
  );
  if (exitCode === 0 || stop.aborted) return;
  process.stderr.write(output);
  throw new CommandFault(`The web page could not be built: vite ended with exit code ${exitCode}.`);
}

/** Whether `<web>/dist/index.html` is newer than every source below `web`. */
export function isWebBuilt(web: string): boolean {
  const built = join(web, 'dist', 'index.html');
  if (!existsSync(built)) return false;
  const builtMs = statSync(built).mtimeMs;
  return readdirSync(web, { withFileTypes: true })
    .filter((entry) => !NOT_SOURCES.has(entry.name))
    .every((entry) => newestMs(join(web, entry.name)) <= builtMs);
}

/** A folder counts with its own time as well: that is where a removed file shows. */
function newestMs(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}
