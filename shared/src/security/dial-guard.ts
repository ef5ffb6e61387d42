/** Keeps connections that callers ask for away from the networks that only the gateway can reach. */

import { GatewayError } from '../protocol/errors.ts';
import { isAddress, isLoopbackAddress, isPublicAddress } from './addresses.ts';
import { hostOf, isListedHost } from './host-list.ts';

/** Where connections may go. */
export interface DialPolicy {
  /**
   * Exact hosts or `*.example.com`, each with or without a port. When it is not empty only these may
   * be used, and they may be private.
   */
  readonly allowedHosts: readonly string[];
  /** Lets connections go to 127.0.0.0/8, ::1 and `localhost` as well, for local trials. */
  readonly allowLoopback: boolean;
}

/** What an address is for. */
export interface DialPurpose {
  /** Path of the field it came in, for refusals. */
  readonly field: string;
  /** The setting that lists hosts, for refusals. */
  readonly setting: string;
  /** Takes http from listed hosts and loopback alone. Default: https and http from any. */
  readonly requireHttps?: boolean;
  /** Why a user name or password is of no use. */
  readonly noCredentials: string;
}

/** Longest address, in characters; proxies and servers commonly cut off beyond 2 KiB. */
const MAX_URL_LENGTH = 2048;

/**
 * Names that do not belong to the public DNS: RFC 6761 (localhost), RFC 6762 (local) and its
 * appendix G (what private networks use), RFC 8375 (home.arpa).
 */
const PRIVATE_SUFFIXES = [
  ...[
    'localhost',
    'localdomain',
    'local',
    'internal',
    'intranet',
    'private',
    'corp',
    'home',
    'lan',
  ],
  'home.arpa',
];

type Refuse = (message: string) => GatewayError;

/**
 * The address `raw`, parsed, when it may be used. To be dialled as `href` gives it, so that what was
 * checked is what is called.
 *
 * Throws `validation_failed`, with the field as the path of the faulty one, and words that say what
 * to do. A public name may still lead to a private address: hosts that resolve names themselves
 * also ask {@link mayDialAddress}.
 */
export function checkDialUrl(raw: string, policy: DialPolicy, purpose: DialPurpose): URL {
  const { field, setting } = purpose;
  const refuse: Refuse = (message) =>
    new GatewayError('validation_failed', `${field} ${message}`, {
      details: { fields: [{ path: field, message }] },
    });

  const url = parseDialUrl(raw, purpose, refuse);
  const host = hostOf(url);
  if (policy.allowLoopback && isLoopbackHost(host)) return url;
  const listIt = `list its host in ${setting}`;
  if (policy.allowedHosts.length > 0) {
    if (isListedHost(url, policy.allowedHosts)) return url;
    throw refuse(`points at a host that is not allowed. Use an allowed one, or ${listIt}.`);
  }
  if (isLoopbackHost(host)) {
    throw refuse(
      `points at this machine itself. Use a public address, or ${listIt}, or set DEV_MODE=true for local trials.`,
    );
  }
  if (!isPublicHost(host)) {
    throw refuse(`points at a private or special address. Use a public one, or ${listIt}.`);
  }
  if (purpose.requireHttps === true && url.protocol !== 'https:') {
    throw refuse(`is not https. Use https, or ${listIt}.`);
  }
  return url;
}

/**
 * Whether a connection for the checked `url` may go to `address`, which its host name resolved to.
 * Asked for every address, at the time of the connection, as a name may change.
 */
export function mayDialAddress(address: string, url: URL, policy: DialPolicy): boolean {
  if (isPublicAddress(address)) return true;
  if (isListedHost(url, policy.allowedHosts)) return true;
  return policy.allowLoopback && isLoopbackHost(hostOf(url)) && isLoopbackAddress(address);
}

function parseDialUrl(raw: string, purpose: DialPurpose, refuse: Refuse): URL {
  if (raw.length > MAX_URL_LENGTH) {
    throw refuse(`is longer than ${MAX_URL_LENGTH} characters.`);
  }
  // URL parsers disagree on what these mean, and the one that dials may not be this one.
  if (/[\s\\\p{Cc}]/u.test(raw)) {
    throw refuse('holds a space, a backslash or a control character. Percent-encode it.');
  }
  if (!URL.canParse(raw)) {
    throw refuse('is not an absolute URL. Give one that begins with https:// or http://.');
  }
  const url = new URL(raw);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw refuse('is neither http nor https. Give a URL that begins with https:// or http://.');
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse(`carries a user name or password. ${purpose.noCredentials}`);
  }
  return url;
}

function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || isLoopbackAddress(host);
}

function isPublicHost(host: string): boolean {
  if (isAddress(host)) return isPublicAddress(host);
  // A single label only means something inside a network, such as the name of a container.
  if (!host.includes('.') || host.includes('..')) return false;
  return !PRIVATE_SUFFIXES.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
}
