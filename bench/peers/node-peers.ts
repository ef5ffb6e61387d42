/** The servers that run on Node. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../processes/free-port.ts';
import { waitForAnswer } from '../processes/wait-for-answer.ts';
import { gatewaySettings, type Peer, type PeerContext } from './peer.ts';

/**
 * Starts the origin as it is deployed, or, for measuring memory, with ended streams forgotten at
 * once and a garbage collector that can be asked.
 */
export async function startOrigin(
  context: PeerContext,
  name: 'origin' | 'origin, small',
): Promise<Peer> {
  const port = await freePort();
  const small = name === 'origin, small';
  const { root, directory, profiles } = context;
  const heapFile = join(directory, 'origin-heap');
  const nodeArgs = [
    ...(small ? ['--expose-gc', '--import', join(root, 'bench/processes/collect-garbage.ts')] : []),
    ...(profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]),
  ];
  const child = await context.children.start({
    name,
    command: [process.execPath, ...nodeArgs, join(root, 'origin/src/main.ts')],
    env: {
      ...gatewaySettings(context, small),
      ...(small ? { HEAP_FILE: heapFile } : {}),
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: join(directory, small ? 'small-origin-data' : 'origin-data'),
    },
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  await Promise.race([waitForAnswer(`${baseUrl}/health`, context.stop), child.message()]);
  return {
    name,
    target: { kind: 'gateway', baseUrl },
    pid: child.pid,
    command: `node ${small ? '--expose-gc ' : ''}origin/src/main.ts`,
    ...(small ? { heap: heapOf(child.pid, heapFile) } : {}),
  };
}

function heapOf(pid: number, file: string): NonNullable<Peer['heap']> {
  return {
    collect: () => process.kill(pid, 'SIGUSR2'),
    heldMiB: () => Number(readFileSync(file, 'utf8')) / 1024 / 1024,
  };
}

/** Starts the bare pipe on `node:http`. */
export async function startNodePipe({ root, vendorUrl, children }: PeerContext): Promise<Peer> {
  const child = await children.start({
    name: 'node pipe',
    command: [process.execPath, join(root, 'bench/baseline/node-pipe.ts')],
    env: { UPSTREAM_URL: vendorUrl },
  });
  const { url } = (await child.message()) as { url: string };
  return {
    name: 'node pipe',
    target: { kind: 'direct', baseUrl: url },
    pid: child.pid,
    command: 'node bench/baseline/node-pipe.ts',
  };
}
