/** One hash for everything that was asked. */

import { createHash } from 'node:crypto';
import { isLongText } from './long-text.ts';

/** SHA-256, hex, of a JSON value; equal for equal values, whatever the order of their members. */
export function fingerprintOf(value: unknown): string {
  const hash = createHash('sha256');
  const write = (part: unknown): void => {
    if (isLongText(part)) {
      // Its content is hashed already.
      hash.update(`#${part.sha256}`);
    } else if (Array.isArray(part)) {
      hash.update('[');
      for (const entry of part) {
        write(entry);
        hash.update(',');
      }
      hash.update(']');
    } else if (typeof part === 'object' && part !== null) {
      hash.update('{');
      for (const name of Object.keys(part).sort()) {
        hash.update(`${JSON.stringify(name)}:`);
        write((part as Record<string, unknown>)[name]);
        hash.update(',');
      }
      hash.update('}');
    } else {
      hash.update(JSON.stringify(part) ?? 'null');
    }
  };
  write(value);
  return hash.digest('hex');
}
