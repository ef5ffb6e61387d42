import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runProcess } from '../processes/run-process.ts';
import { omitEdgeSettings } from '../start/settings.ts';
import { buildWebIfStale } from '../start/web-build.ts';
import { findForbiddenImports, findForbiddenInMetafile } from './bundle-imports.ts';
import type { StepResult } from './steps.ts';

/**
 * Bundles the edge as a deployment would, without deploying, and looks for imports that only Node
 * could serve: they would fail on Workers, and `shared` must be free of them.
 *
 * @param root repository root
 */
export async function checkEdgeBundle(root: string, stop: AbortSignal): Promise<StepResult> {
  // The page is part of what is deployed.
  await buildWebIfStale(root, stop);
  const outdir = mkdtempSync(join(tmpdir(), 'headwater-edge-bundle-'));
  try {
    const edge = join(root, 'edge');
    const metafile = join(outdir, 'meta.json');
    const args = [join(edge, 'node_modules', 'wrangler', 'bin', 'wrangler.js'), 'deploy'];
    args.push('--dry-run', '--config', join(edge, 'wrangler.jsonc'));
    args.push('--outdir', outdir, '--metafile', metafile);
    const { exitCode, output } = await runProcess(process.execPath, args, {
      cwd: edge,
      env: { ...omitEdgeSettings(process.env), WRANGLER_LOG_PATH: join(outdir, 'logs') },
      stop,
      output: 'capture',
    });
    if (exitCode !== 0) return { passed: false, output };
    return judgeBundle(outdir, metafile);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

function judgeBundle(outdir: string, metafile: string): StepResult {
  const bundles = readdirSync(outdir).filter((name) => extname(name) === '.js');
  const sources = bundles.map((name) => readFileSync(join(outdir, name)));
  if (sources.length === 0) return { passed: false, output: 'wrangler wrote no bundle.\n' };
  const forbidden = new Set([
    ...findForbiddenInMetafile(JSON.parse(readFileSync(metafile, 'utf8'))),
    ...sources.flatMap((source) => findForbiddenImports(source.toString())),
  ]);
  const gzipBytes = sources.reduce((sum, source) => sum + gzipSync(source).length, 0);
  return {
    passed: forbidden.size === 0,
    note: `${(gzipBytes / 1024).toFixed(1)} KiB gzipped`,
    output: [...forbidden]
      .map((name) => `The edge bundle imports "${name}", which Workers do not have.\n`)
      .join(''),
  };
}
