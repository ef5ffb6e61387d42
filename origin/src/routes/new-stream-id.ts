/** Names new streams. */

import { randomUUID } from 'node:crypto';

/**
 * A UUID of version 7 (RFC 9562 §5.7): 48 bits of time, in ms since 1970, then 74 random ones. Rows
 * of streams that begin together stand together, so that a commit writes half as many pages.
 */
export function newStreamId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
