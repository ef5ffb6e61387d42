/** Makes addresses fit for logs: what a query carries may be a secret. */

const REDACTED = '[redacted]';

/**
 * `url` with scheme, host and path as they are, the values of its query hidden, and without
 * credentials and fragment. Names of query parameters stay, because they tell which kind of address
 * it was; n8n signs its resume URLs with `?signature=…`, and that value opens the workflow.
 *
 * Never throws: what cannot be parsed is replaced as a whole.
 */
export function redactUrl(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    // Nothing is known about which part of it might be secret.
    return '[not a url]';
  }
  const shown = `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  if (parsed.search === '') return shown;
  const parameters = parsed.search.slice(1).split('&').map(redactParameter);
  return `${shown}?${parameters.join('&')}`;
}

function redactParameter(parameter: string): string {
  const equals = parameter.indexOf('=');
  // A parameter without a name may itself be the secret.
  return equals < 1 ? REDACTED : `${parameter.slice(0, equals)}=${REDACTED}`;
}

/**
 * The path of a request target (`/stream/1?access_token=…`) or of a whole URL: no host, no query,
 * no fragment. `/` when there is none.
 */
export function pathOnly(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  return path === '' ? '/' : path;
}
