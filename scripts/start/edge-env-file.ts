import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CommandFault } from '../processes/command.ts';

const QUOTES = ["'", '"', '`'] as const;

/**
 * Writes the edge's settings as a file that only its owner can read: wrangler takes them from there
 * with `--env-file`, so no secret stands in an argument list.
 *
 * @throws CommandFault when a value cannot be written in that format
 */
export function writeEdgeEnvFile(file: string, settings: Readonly<Record<string, string>>): void {
  mkdirSync(dirname(file), { recursive: true });
  // The mode of writeFile holds for a new file only.
  rmSync(file, { force: true });
  writeFileSync(file, formatEnvFile(settings), { mode: 0o600 });
}

/**
 * Formats settings as wrangler's dotenv reads them back: quoted, and `$` escaped, since wrangler
 * expands `$NAME` within any quotes.
 *
 * @throws CommandFault for a value that holds every kind of quote
 */
export function formatEnvFile(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${quoteValue(name, value)}\n`)
    .join('');
}

function quoteValue(name: string, value: string): string {
  const quote = QUOTES.find(
    // Within double quotes dotenv turns \n and \r into line ends.
    (candidate) => !value.includes(candidate) && !(candidate === '"' && /\\[nr]/.test(value)),
  );
  if (quote === undefined) {
    throw new CommandFault(`${name} mixes all kinds of quotes, which the edge cannot be given.`);
  }
  return `${quote}${value.replaceAll('$', '\\$')}${quote}`;
}
