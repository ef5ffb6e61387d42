/** wrangler and workerd, as the edge has them installed. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runProcess } from '../../scripts/processes/run-process.ts';
import { omitEdgeSettings } from '../../scripts/start/settings.ts';
import { buildWebIfStale } from '../../scripts/start/web-build.ts';

/** The part of the edge's wrangler.jsonc that workerd must know. */
interface EdgeConfig {
  readonly compatibility_date: string;
  readonly compatibility_flags: readonly string[];
  readonly durable_objects: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string }[];
  };
}

/** The tools. */
export interface EdgeTools {
  readonly workerd: string;
  readonly workerdVersion: string;
  readonly config: EdgeConfig;
}

/** Finds workerd the way wrangler does, and reads wrangler.jsonc by wrangler itself. */
export function findEdgeTools(root: string): EdgeTools {
  const fromEdge = createRequire(join(root, 'edge/package.json'));
  const wrangler = fromEdge('wrangler') as {
    unstable_readConfig(args: { config: string }): EdgeConfig;
  };
  const fromWrangler = createRequire(fromEdge.resolve('wrangler'));
  const workerd = fromWrangler('workerd') as { default: string; version: string };
  return {
    workerd: workerd.default,
    workerdVersion: workerd.version,
    config: wrangler.unstable_readConfig({ config: join(root, 'edge/wrangler.jsonc') }),
  };
}

/** The edge's code as it is deployed: one module's text. Rejects with wrangler's own words. */
export async function bundleEdge(root: string, outdir: string, stop: AbortSignal): Promise<string> {
  const edge = join(root, 'edge');
  // wrangler wants the page to be there, though nothing here asks for it.
  await buildWebIfStale(root, stop);
  const args = [join(edge, 'node_modules/wrangler/bin/wrangler.js'), 'deploy', '--dry-run'];
  args.push('--config', join(edge, 'wrangler.jsonc'), '--outdir', outdir);
  const { exitCode, output } = await runProcess(process.execPath, args, {
    cwd: edge,
    env: {
      ...omitEdgeSettings(process.env),
      WRANGLER_LOG_PATH: join(outdir, 'logs'),
      // The banner looks for updates, and metrics go out: a run stays on this machine.
      WRANGLER_HIDE_BANNER: 'true',
      WRANGLER_SEND_METRICS: 'false',
    },
    stop,
    output: 'capture',
  });
  if (exitCode !== 0) throw new Error(`wrangler could not bundle the edge:\n${output}`);
  return readFileSync(join(outdir, 'index.js'), 'utf8');
}
