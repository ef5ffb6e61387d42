import { describeWithRedis } from '../../origin/src/testing/describe-with-redis.ts';
import { describeConformance } from '../conformance/conformance.ts';
import { startBalancedCluster } from './balanced-cluster.ts';

describeWithRedis('conformance of a cluster', () => {
  describeConformance('two origins on one Redis', startBalancedCluster);
});
