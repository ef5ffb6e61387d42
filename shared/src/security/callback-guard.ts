/** Keeps callbacks away from the networks that only the gateway can reach. */

import { checkDialUrl, type DialPolicy } from './dial-guard.ts';

/** Where callbacks may go: `CALLBACK_ALLOWED_HOSTS`, and loopback for local trials. */
export type CallbackPolicy = DialPolicy;

/**
 * The callback address `raw`, parsed, when it may be used, as {@link checkDialUrl} has it; `field` is
 * the path of the field it came in. Errors: `validation_failed`.
 */
export function checkCallbackUrl(raw: string, policy: CallbackPolicy, field = 'resumeUrl'): URL {
  return checkDialUrl(raw, policy, {
    field,
    setting: 'CALLBACK_ALLOWED_HOSTS',
    noCredentials: 'Leave them out; callbacks are signed instead.',
  });
}
