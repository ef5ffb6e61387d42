import { findEdgeTools } from './edge-tools.ts';
import { startNodePipe, startOrigin } from './node-peers.ts';
import type { Peer, PeerContext } from './peer.ts';
import { startEdge, startWorkerdPipe } from './workerd-peers.ts';

/** Starts every server of a run, each gateway before its pipes. Also tells workerd's version. */
export async function startPeers(
  context: PeerContext,
): Promise<{ readonly peers: readonly Peer[]; readonly workerdVersion: string }> {
  const tools = findEdgeTools(context.root);
  const peers = [
    await startOrigin(context),
    await startNodePipe(context),
    await startEdge(context, tools),
    await startWorkerdPipe(context, tools, 'workerd pipe'),
    await startWorkerdPipe(context, tools, 'workerd script pipe'),
  ];
  return { peers, workerdVersion: tools.workerdVersion };
}
