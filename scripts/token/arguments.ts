import { parseArgs } from 'node:util';
import { CommandFault } from '../processes/command.ts';

const DEFAULT_SUBJECT = 'n8n';
const DEFAULT_TTL_SECONDS = 3600;

/** What `npm run token` was asked for. */
export type TokenRequest =
  | { readonly kind: 'caller-token'; readonly subject: string; readonly ttlSeconds: number }
  | { readonly kind: 'webhook-secret' };

/**
 * Reads the arguments of `npm run token`.
 *
 * @throws CommandFault with exit code 2 for arguments that make no sense
 */
export function readTokenArguments(args: readonly string[]): TokenRequest {
  const values = parse(args);
  if (values['webhook-secret'] === true) return { kind: 'webhook-secret' };
  const subject = values.sub ?? DEFAULT_SUBJECT;
  if (subject === '') throw new CommandFault('--sub needs a name.', 2);
  const ttlText = values.ttl ?? String(DEFAULT_TTL_SECONDS);
  const ttlSeconds = Number(ttlText);
  if (!/^\d+$/.test(ttlText) || ttlSeconds < 1 || !Number.isSafeInteger(ttlSeconds)) {
    throw new CommandFault(`--ttl must be a whole number of seconds, not "${ttlText}".`, 2);
  }
  return { kind: 'caller-token', subject, ttlSeconds };
}

function parse(args: readonly string[]): {
  sub?: string;
  ttl?: string;
  'webhook-secret'?: boolean;
} {
  try {
    return parseArgs({
      args: [...args],
      options: {
        sub: { type: 'string' },
        ttl: { type: 'string' },
        'webhook-secret': { type: 'boolean' },
      },
    }).values;
  } catch {
    // Node's own message for this runs over several sentences.
    throw new CommandFault(
      'The arguments are --sub NAME, --ttl SECONDS and --webhook-secret, each optional.',
      2,
    );
  }
}
