import { describeWithServers } from './describe-with-servers.ts';
import { describeWords } from './word-api.ts';
import { startEdgeWithOrigins } from './word-hosts.ts';

describeWithServers('text services through the edge', () => {
  describeWords('an edge in front of two origins', startEdgeWithOrigins);
});
