import { describeWithServers } from './describe-with-servers.ts';
import { describeWords } from './word-api.ts';
import { startCluster } from './word-hosts.ts';

describeWithServers('text services of a cluster', () => {
  describeWords('two origins on one Redis and one Postgres', startCluster);
});
