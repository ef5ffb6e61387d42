import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CommandFault, runCommand } from './processes/command.ts';
import { keepDevSecrets } from './start/dev-secrets.ts';
import { assertPortFree } from './start/port-check.ts';
import { readEnvironment, readPorts } from './start/settings.ts';
import { runStack } from './start/stack.ts';
import { formatSummary } from './start/summary.ts';
import { buildWebIfStale } from './start/web-build.ts';
import { mintCallerToken } from './token/mint.ts';

const root = resolve(import.meta.dirname, '..');
const EXAMPLE_TOKEN_TTL_SECONDS = 3600;

await runCommand(async (args, stop) => {
  const originOnly = readArguments(args);
  const given = readEnvironment(root, process.env);
  const ports = readPorts(given);
  await assertPortFree(ports.origin, 'ORIGIN_PORT');
  if (!originOnly) await assertPortFree(ports.edge, 'EDGE_PORT');

  await buildWebIfStale(root, stop);
  const environment = {
    DEV_MODE: 'true',
    // Whoever presses Ctrl-C does not want to wait for an answer to end.
    SHUTDOWN_GRACE_SECONDS: '0',
    ...keepDevSecrets(join(root, '.data')),
    ...given,
  };
  await runStack({
    root,
    environment,
    ports,
    originOnly,
    stop,
    onReady: async (health) => {
      const claims = { subject: 'n8n', ttlSeconds: EXAMPLE_TOKEN_TTL_SECONDS };
      const token = await mintCallerToken(environment.JWT_SECRET, claims);
      process.stdout.write(
        formatSummary({
          originUrl: `http://127.0.0.1:${ports.origin}`,
          ...(originOnly ? {} : { edgeUrl: `http://127.0.0.1:${ports.edge}` }),
          health,
          ...(environment.DEV_MODE === 'true' ? { token } : {}),
        }),
      );
    },
  });
  return 0;
});

function readArguments(args: readonly string[]): boolean {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { 'origin-only': { type: 'boolean', default: false } },
    });
    return values['origin-only'];
  } catch {
    // Node's own message for this runs over several sentences.
    throw new CommandFault('The only argument of `npm start` is --origin-only.', 2);
  }
}
