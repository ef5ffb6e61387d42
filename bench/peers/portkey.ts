/** Portkey's gateway, installed for the bench alone. */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProcess } from '../../scripts/processes/run-process.ts';
import { freePort } from '../processes/free-port.ts';
import { waitForAnswer } from '../processes/wait-for-answer.ts';
import { type Peer, type PeerContext, PeerMissing } from './peer.ts';

const PROGRAM = 'node_modules/@portkey-ai/gateway/build/start-server.js';

const INSTALL = ['install', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund'];

/** Starts it as a bare relay. Rejects with `PeerMissing` where it cannot be installed. */
export async function startPortkey(context: PeerContext): Promise<Peer> {
  const { root, vendorUrl, stop } = context;
  const folder = await installOnce(root, stop);
  const port = await freePort();
  const child = await context.children.start({
    name: 'Portkey',
    command: [
      process.execPath,
      '--import',
      join(root, 'bench/peers/loopback-only.ts'),
      join(folder, PROGRAM),
      `--port=${port}`,
      '--headless',
    ],
    env: { NODE_ENV: 'production' },
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  await Promise.race([waitForAnswer(baseUrl, stop), child.message()]);
  return {
    name: 'Portkey',
    target: {
      kind: 'direct',
      baseUrl,
      headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${vendorUrl}/v1` },
    },
    pid: child.pid,
    command: `node bench/.peers/portkey/${PROGRAM} --headless`,
  };
}

/**
 * Installs what the template names into a folder that git ignores, once: the stamp is the template
 * itself, written when all is there.
 */
async function installOnce(root: string, stop: AbortSignal): Promise<string> {
  const template = join(root, 'bench/peers/portkey/package.json');
  const folder = join(root, 'bench/.peers/portkey');
  const stamp = join(folder, 'installed.json');
  const wanted = readFileSync(template, 'utf8');
  if (readIfThere(stamp) === wanted) return folder;
  process.stderr.write('installing Portkey for the bench alone, into bench/.peers\n');
  mkdirSync(folder, { recursive: true });
  copyFileSync(template, join(folder, 'package.json'));
  const result = await runProcess('npm', INSTALL, { cwd: folder, stop, output: 'capture' });
  if (result.exitCode !== 0) {
    const reason = result.output.split('\n').find((line) => line.startsWith('npm error'));
    throw new PeerMissing(`no Portkey: ${reason ?? `npm ended with code ${result.exitCode}`}`);
  }
  writeFileSync(stamp, wanted);
  return folder;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not installed yet.
    return undefined;
  }
}
