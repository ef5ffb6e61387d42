/** What a verified caller token says of its caller. */

import type { JWTPayload } from 'jose';
import { ACCESS_TOKEN_AUDIENCE, refuseToken } from './jwt-header.ts';

/** Who calls. */
export interface Caller {
  /** Owner of what the caller opens; 1–256 characters. */
  readonly subject: string;
}

/** Longest subject, in characters: it becomes part of storage keys and log lines. */
const MAX_SUBJECT_LENGTH = 256;

/** Owner of what is opened with a token that names nobody. */
const DEFAULT_SUBJECT = 'n8n';

/**
 * In seconds this lies in the year 5138 and in milliseconds in 1973, so a larger `exp` is a time in
 * milliseconds, which read as seconds would never come.
 */
const LATEST_EXP_SECONDS = 100_000_000_000;

/**
 * The caller of a payload whose signature and times have been checked.
 *
 * Throws `unauthorized` when `exp` is missing or in milliseconds, when the payload is that of an
 * access token, and when the subject is too long, or no text that storage keeps apart from others.
 */
export function readCaller(payload: JWTPayload): Caller {
  const audiences = [payload.aud ?? []].flat();
  if (audiences.includes(ACCESS_TOKEN_AUDIENCE)) {
    throw refuseToken(
      'This is the access token of one stream. It opens that stream only; send a caller token here.',
    );
  }
  if (payload.exp === undefined) throw refuseToken(missingExpMessage(payload));
  if (payload.exp > LATEST_EXP_SECONDS) {
    throw refuseToken(
      'The token\'s "exp" counts milliseconds. A JWT counts seconds since 1970: divide it by 1000.',
    );
  }
  const { sub, userId } = payload;
  const subject = textOf(sub) ?? textOf(userId) ?? DEFAULT_SUBJECT;
  if (subject.length > MAX_SUBJECT_LENGTH) {
    throw refuseToken(`The token's subject is longer than ${MAX_SUBJECT_LENGTH} characters.`);
  }
  if (subject.includes('\0') || !subject.isWellFormed()) {
    // Storage refuses the one, and writes all halves of a character alike.
    throw refuseToken("The token's subject contains NUL or half of a character.");
  }
  return { subject };
}

function missingExpMessage({ expiresIn }: JWTPayload): string {
  if (expiresIn === undefined) {
    return 'The token has no "exp". Add one: the time of expiry, a number of seconds since 1970.';
  }
  return (
    'The token has a claim "expiresIn" and no "exp". n8n\'s JWT node, in form mode, writes "expiresIn" ' +
    'as a plain claim and sets no expiry. Turn on its option "Use JSON to Build Payload" and give a ' +
    'numeric "exp", such as {{ Math.floor(Date.now() / 1000) + 300 }}.'
  );
}

/** Backends also send numeric user ids; any other type names nobody. */
function textOf(claim: unknown): string | undefined {
  if (typeof claim === 'number' && Number.isFinite(claim)) return String(claim);
  return typeof claim === 'string' && claim !== '' ? claim : undefined;
}
