/** What an error of the database means to a caller. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import pg from 'pg';

/**
 * SQLSTATE classes that say nothing against the query: connection, authorisation, resources,
 * intervention, system, and no such database.
 * https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
const AWAY = /^(?:08|28|3D|53|57P|58|XX)/;

/** A full disk, which somebody has to mend. */
const DISK_FULL = '53100';

/** A character that the database's encoding has no place for: of what comes as UTF-8, NUL alone. */
const NO_SUCH_CHARACTER = /^22(?:021|P05)$/;

/**
 * A text with NUL as `validation_failed`; any other refusal of the data itself as it is (`pg.DatabaseError` with its SQLSTATE in `code`), a
 * `GatewayError` as it is, all else as `unavailable`. What drizzle wraps around it holds the query's
 * values, which may be a prompt, and is left out.
 */
export function databaseFault(thrown: unknown): unknown {
  if (thrown instanceof GatewayError) return thrown;
  const cause = thrown instanceof Error && !isPgError(thrown) ? (thrown.cause ?? thrown) : thrown;
  if (cause instanceof GatewayError) return cause;
  if (isPgError(cause)) {
    if (cause.code === DISK_FULL) return away('The disk of the database is full.', cause);
    if (cause.code !== undefined && NO_SUCH_CHARACTER.test(cause.code)) {
      return new GatewayError('validation_failed', 'The request has a text that contains NUL.', {
        cause,
      });
    }
    if (cause.code === undefined || !AWAY.test(cause.code)) return cause;
    return away('The database did not answer. Try again.', cause);
  }
  return isConnectionError(cause) ? away('The database did not answer. Try again.', cause) : thrown;
}

/** True where the database refused because of a row that is there: SQLSTATE 23505. */
export function isDuplicate(thrown: unknown): boolean {
  return isPgError(thrown) && thrown.code === '23505';
}

function isPgError(thrown: unknown): thrown is pg.DatabaseError {
  return thrown instanceof pg.DatabaseError;
}

/** Of the socket, by its code; of node-postgres and its pool, which give none, by their words. */
function isConnectionError(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code } = thrown as NodeJS.ErrnoException;
  if (code !== undefined && /^E[A-Z]+$/.test(code)) return true;
  return /connection|connecting|connect$|Client was closed|the embedded database/i.test(
    thrown.message,
  );
}

function away(message: string, cause: unknown): GatewayError {
  return new GatewayError('unavailable', message, { cause });
}
