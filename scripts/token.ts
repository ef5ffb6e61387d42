import { join, resolve } from 'node:path';
import { deriveWebhookSecret } from '@headwater/shared/security/webhook-signature';
import { runCommand } from './processes/command.ts';
import { keepDevSecrets } from './start/dev-secrets.ts';
import { readEnvironment } from './start/settings.ts';
import { readTokenArguments } from './token/arguments.ts';
import { mintCallerToken, signingSecret } from './token/mint.ts';

const root = resolve(import.meta.dirname, '..');

await runCommand(async (args) => {
  const request = readTokenArguments(args);
  const jwtSecret =
    readEnvironment(root, process.env)['JWT_SECRET'] ??
    keepDevSecrets(join(root, '.data')).JWT_SECRET;
  const printed =
    request.kind === 'webhook-secret'
      ? await deriveWebhookSecret(signingSecret(jwtSecret))
      : await mintCallerToken(jwtSecret, request);
  process.stdout.write(`${printed}\n`);
  return 0;
});
