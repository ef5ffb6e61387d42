import { describeWithRedis } from '../../origin/src/testing/describe-with-redis.ts';
import { describeTaskApi } from './task-api.ts';
import { startCluster } from './task-hosts.ts';

describeWithRedis('tasks of a cluster', () => {
  describeTaskApi('two origins on one Redis', startCluster);
});
