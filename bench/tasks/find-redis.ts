import { redisMissing } from '../../origin/src/testing/redis-server.ts';
import { installDebianPackage } from '../../scripts/test/system-packages.ts';

/** Sees to it that there is a redis-server, where that can be done. Resolves to why there is none. */
export async function lackOfRedis(stop: AbortSignal): Promise<string | undefined> {
  if (redisMissing() === undefined) return undefined;
  const reason = await installDebianPackage('redis-server', stop);
  const lack = redisMissing();
  return lack === undefined ? undefined : (reason ?? lack);
}
