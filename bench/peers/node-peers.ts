/** The servers that run on Node. */

import { join } from 'node:path';
import { freePort } from '../processes/free-port.ts';
import { waitForAnswer } from '../processes/wait-for-answer.ts';
import { gatewaySettings, type Peer, type PeerContext } from './peer.ts';

/** Starts the origin as it is deployed. `nodeArgs` go to Node itself, such as `--cpu-prof`. */
export async function startOrigin(
  context: PeerContext,
  nodeArgs: readonly string[] = [],
): Promise<Peer> {
  const port = await freePort();
  const child = await context.children.start({
    name: 'origin',
    command: [process.execPath, ...nodeArgs, join(context.root, 'origin/src/main.ts')],
    env: { ...gatewaySettings(context), HOST: '127.0.0.1', PORT: String(port) },
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  await Promise.race([waitForAnswer(`${baseUrl}/health`, context.stop), child.message()]);
  return {
    name: 'origin',
    target: { kind: 'gateway', baseUrl },
    pid: child.pid,
    command: ['node', ...nodeArgs, 'origin/src/main.ts'].join(' '),
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
