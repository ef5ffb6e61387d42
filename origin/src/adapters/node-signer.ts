/** Signs on Node. */

import { createHmac, createSecretKey } from 'node:crypto';
import type { SignText } from '@headwater/shared/security/hmac-keys';

/**
 * The signer of one key. It signs in the call itself: for a text of some kilobytes that is a matter
 * of microseconds, and WebCrypto's way through a thread of the pool costs ten times as much.
 */
export function createNodeSigner(key: Uint8Array): SignText {
  const secret = createSecretKey(key);
  return (text, encoding) => createHmac('sha256', secret).update(text).digest(encoding);
}
