/** nginx as a reverse proxy, and with Nchan as a fan-out. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../processes/free-port.ts';
import { waitForAnswer } from '../processes/wait-for-answer.ts';
import { nginxConfig } from './nginx-config.ts';
import type { Peer, PeerContext } from './peer.ts';
import { findNchanModule, findNginx } from './system-packages.ts';

/** Starts nginx in front of the vendor. Rejects with `PeerMissing` where it cannot be had. */
export async function startNginx(context: PeerContext): Promise<Peer> {
  const nginx = await findNginx(context.stop);
  return start(context, nginx, 'nginx', {
    kind: 'proxy',
    upstream: new URL(context.vendorUrl).host,
  });
}

/** Starts nginx with Nchan. Rejects with `PeerMissing` where it cannot be had. */
export async function startNchan(context: PeerContext): Promise<Peer> {
  const nginx = await findNginx(context.stop);
  const module = await findNchanModule(nginx, context.stop);
  return start(context, nginx, 'Nchan', { kind: 'nchan', module });
}

async function start(
  context: PeerContext,
  nginx: string,
  name: 'nginx' | 'Nchan',
  role: Parameters<typeof nginxConfig>[0]['role'],
): Promise<Peer> {
  const directory = join(context.directory, `${name}-files`);
  mkdirSync(directory);
  const port = await freePort();
  const configFile = join(directory, 'nginx.conf');
  writeFileSync(
    configFile,
    nginxConfig({ port, directory, role, isRoot: process.getuid?.() === 0 }),
  );
  const guard = join(context.root, 'bench/processes/guard.ts');
  const child = await context.children.start({
    name,
    command: [process.execPath, guard, nginx, '-p', directory, '-c', configFile, '-e', 'stderr'],
  });
  const { pid } = (await child.message()) as { pid: number };
  const baseUrl = `http://127.0.0.1:${port}`;
  await Promise.race([waitForAnswer(`${baseUrl}/health`, context.stop), child.message()]);
  return {
    name,
    target: { kind: name === 'Nchan' ? 'nchan' : 'direct', baseUrl },
    pid,
    command: `nginx -c nginx.conf (${name})`,
  };
}
