/** What the environment of a child holds: its parent's, without what an engine need not know. */

import { randomBytes } from 'node:crypto';

/** Secrets and addresses of the gateway itself. Keys of vendors stay: engines ask models. */
const WITHHELD: ReadonlySet<string> = new Set([
  'JWT_SECRET',
  'JWT_JWKS_URL',
  'JWT_ISSUER',
  'JWT_AUDIENCE',
  'INTERNAL_API_KEY',
  'REDIS_URL',
  // Every role but one would need the Redis above; a child has none.
  'ROLE',
  'DATABASE_URL',
  'ORIGIN_URL',
  // It may hold a password, and engines ask no such service.
  'PROJECT_SERVICE_URL',
  'TASK_ENGINES',
]);

/** Of the child's own start; options for the parent's Node, such as a debugger's port, are not its. */
const NODE_OWN: ReadonlySet<string> = new Set(['NODE_OPTIONS', 'NODE_CHANNEL_FD']);

/**
 * Makes the environment. What the shared settings cannot do without, the JWT secret, is made up: a
 * child signs and verifies nothing.
 */
export function childEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  engineModules: readonly string[],
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || WITHHELD.has(name) || NODE_OWN.has(name)) continue;
    if (name.startsWith('S3_') || name.startsWith('AWS_')) continue;
    kept[name] = value;
  }
  return {
    ...kept,
    JWT_SECRET: randomBytes(32).toString('base64url'),
    ...(engineModules.length === 0 ? {} : { TASK_ENGINES: engineModules.join(',') }),
  };
}
