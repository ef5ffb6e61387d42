/** Which pages may read the gateway's answers. */

/** Who may call from a browser. */
export interface CorsPolicy {
  /** Exact origins, such as `https://app.example.com`: scheme, host and port if not the default. */
  readonly allowedOrigins: readonly string[];
  /** Lets every loopback origin over plain http call as well. */
  readonly devMode: boolean;
}

const LOOPBACK_ORIGIN = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/;

/** Headers a page may read beside those that every page may. */
const EXPOSED_HEADERS =
  'x-request-id, retry-after, location, idempotent-replayed, preference-applied, x-stream-url';

const ALLOWED_METHODS = 'GET, POST, PUT, DELETE, OPTIONS';

const ALLOWED_HEADERS = [
  ...['authorization', 'content-type', 'last-event-id', 'idempotency-key', 'x-api-key'],
  ...['x-request-id', 'prefer'],
  // What OpenAI's SDK says of itself in a browser.
  ...[
    'arch',
    'lang',
    'os',
    'package-version',
    'retry-count',
    'runtime',
    'runtime-version',
    'timeout',
  ].map((name) => `x-stainless-${name}`),
].join(', ');

/** Spares most preflights, and yet a changed list of origins holds within ten minutes. */
const PREFLIGHT_MAX_AGE_SECONDS = 600;

/**
 * Headers for a response to `origin` (the request's `Origin`), or undefined when it may not call or
 * there is none. The origin is echoed, never `*`, as credentials are allowed.
 */
export function corsHeaders(
  origin: string | null | undefined,
  policy: CorsPolicy,
): Record<string, string> | undefined {
  if (origin === null || origin === undefined || !isAllowed(origin, policy)) return undefined;
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': EXPOSED_HEADERS,
    // A cache must not hand one page's answer to another.
    vary: 'Origin',
  };
}

/** Headers for the answer to a preflight, under the same conditions as {@link corsHeaders}. */
export function preflightHeaders(
  origin: string | null | undefined,
  policy: CorsPolicy,
): Record<string, string> | undefined {
  const headers = corsHeaders(origin, policy);
  if (headers === undefined) return undefined;
  return {
    ...headers,
    'access-control-allow-methods': ALLOWED_METHODS,
    'access-control-allow-headers': ALLOWED_HEADERS,
    'access-control-max-age': String(PREFLIGHT_MAX_AGE_SECONDS),
  };
}

function isAllowed(origin: string, policy: CorsPolicy): boolean {
  // Sandboxed frames, files and some redirects all say "null", so it identifies nobody.
  if (origin === 'null') return false;
  return policy.allowedOrigins.includes(origin) || (policy.devMode && LOOPBACK_ORIGIN.test(origin));
}
