import { describeWithRedis } from '../../origin/src/testing/describe-with-redis.ts';
import { describeFaults } from '../faults/faults.ts';
import { startBalancedCluster } from './balanced-cluster.ts';

describeWithRedis('faults of a cluster', () => {
  describeFaults('two origins on one Redis', startBalancedCluster);
});
