import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CommandFault } from '../processes/command.ts';

// 384 bits: above the 256 that HS256 asks of its key (RFC 7518, section 3.2).
const SECRET_BYTES = 48;
const OWNER_ONLY = 0o600;

/** The secrets of a development stack, made once and kept. */
export type DevSecrets = { readonly JWT_SECRET: string; readonly INTERNAL_API_KEY: string };

/**
 * The kept secrets of this checkout, made at the first call. The file is readable by its owner
 * only; of two processes that make it at once one wins, and both get the winner's.
 *
 * @param dataDirectory where `secrets.json` lies; made when absent
 * @throws CommandFault when the file is there but does not hold both secrets
 */
export function keepDevSecrets(dataDirectory: string): DevSecrets {
  const file = join(dataDirectory, 'secrets.json');
  const kept = readSecrets(file);
  if (kept !== undefined) return kept;
  mkdirSync(dataDirectory, { recursive: true });
  const prepared = mkdtempSync(join(dataDirectory, 'secrets-'));
  const made: DevSecrets = { JWT_SECRET: makeSecret(), INTERNAL_API_KEY: makeSecret() };
  try {
    const preparedFile = join(prepared, 'secrets.json');
    writeFileSync(preparedFile, `${JSON.stringify(made, undefined, 2)}\n`, { mode: OWNER_ONLY });
    // A link, unlike a rename, never replaces what another process has put there meanwhile.
    linkSync(preparedFile, file);
    return made;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    return readSecrets(file) ?? made;
  } finally {
    rmSync(prepared, { recursive: true, force: true });
  }
}

function readSecrets(file: string): DevSecrets | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const secrets = parseSecrets(text);
  if (secrets === undefined) {
    throw new CommandFault(
      `${file} does not hold the secrets it should: remove it to get new ones.`,
    );
  }
  // A copy or a restored backup may have opened it to others.
  chmodSync(file, OWNER_ONLY);
  return secrets;
}

function parseSecrets(text: string): DevSecrets | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // The caller names the file; the parser's message could quote a secret.
    return undefined;
  }
  if (typeof content !== 'object' || content === null) return undefined;
  const { JWT_SECRET, INTERNAL_API_KEY } = content as Partial<Record<keyof DevSecrets, unknown>>;
  if (typeof JWT_SECRET !== 'string' || JWT_SECRET === '') return undefined;
  if (typeof INTERNAL_API_KEY !== 'string' || INTERNAL_API_KEY === '') return undefined;
  return { JWT_SECRET, INTERNAL_API_KEY };
}

function makeSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
