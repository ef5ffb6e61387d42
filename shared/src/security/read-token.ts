/** Finds a token in a request. */

/** The token of an `Authorization: Bearer …` header, or undefined when there is none. */
export function bearerOf(header: string | null | undefined): string | undefined {
  // RFC 9110 §11.1: the scheme is case-insensitive.
  return /^bearer +(\S+)$/i.exec(header?.trim() ?? '')?.[1];
}

/** The value of the first cookie called `name` in a `Cookie` header, or undefined. */
export function cookieOf(header: string | null | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
    // RFC 6265 §4.1.1: a value may stand in double quotes.
    const value = pair
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1');
    return value === '' ? undefined : value;
  }
  return undefined;
}

/** Name of the query parameter and of the cookie that carry a stream's access token. */
const ACCESS_TOKEN_NAME = 'access_token';

/**
 * The access token of a request: the query goes first, as it stands in the `streamUrl` itself, then
 * `Authorization: Bearer`, then the cookie, which a browser sends without being asked.
 *
 * `query` is the decoded value of `access_token`; `cookie` and `authorization` are whole headers.
 */
export function accessTokenFrom(request: {
  readonly query?: string | null | undefined;
  readonly authorization?: string | null | undefined;
  readonly cookie?: string | null | undefined;
}): string | undefined {
  return (
    request.query?.trim() ||
    bearerOf(request.authorization) ||
    cookieOf(request.cookie, ACCESS_TOKEN_NAME)
  );
}
