import { join } from 'node:path';
import { bundleEdge, type EdgeTools } from './edge-tools.ts';
import { startNchan, startNginx } from './nginx-peers.ts';
import { startNodePipe, startOrigin } from './node-peers.ts';
import { type Peer, type PeerContext, PeerMissing, type PeerName } from './peer.ts';
import { startPortkey } from './portkey.ts';
import { startEdge, startObjectPipe, startWorkerdPipe } from './workerd-peers.ts';

/** The servers of a run. */
export interface Peers {
  readonly running: readonly Peer[];
  /** Why each of the others is not there. */
  readonly missing: Readonly<Partial<Record<PeerName, string>>>;
}

/** Starts the named servers. A peer that cannot be had here is noted; a gateway's fault rejects. */
export async function startPeers(
  context: PeerContext,
  tools: EdgeTools,
  names: readonly PeerName[],
): Promise<Peers> {
  const bundle = names.some((name) => name.startsWith('edge'))
    ? await bundleEdge(context.root, join(context.directory, 'bundle'), context.stop)
    : '';

  function start(name: PeerName): Promise<Peer> {
    switch (name) {
      case 'origin':
      case 'origin, small':
        return startOrigin(context, name);
      case 'edge':
      case 'edge, small':
        return startEdge(context, tools, name, bundle);
      case 'workerd pipe':
      case 'workerd script pipe':
        return startWorkerdPipe(context, tools, name);
      case 'workerd object pipe':
      case 'workerd object pipe, small':
        return startObjectPipe(context, tools, name);
      case 'node pipe':
        return startNodePipe(context);
      case 'nginx':
        return startNginx(context);
      case 'Nchan':
        return startNchan(context);
      case 'Portkey':
        return startPortkey(context);
    }
  }

  const running: Peer[] = [];
  const missing: Partial<Record<PeerName, string>> = {};
  for (const name of names) {
    try {
      running.push(await start(name));
    } catch (thrown) {
      if (!(thrown instanceof PeerMissing)) throw thrown;
      missing[name] = thrown.message;
    }
  }
  return { running, missing };
}
