/** Names a request in answers and logs. */

/** The caller's own `X-Request-Id` where it is plain and short, else a new one. */
export function requestIdOf(header: string | null | undefined): string {
  if (header != null && /^[\w.:-]{1,128}$/.test(header)) return header;
  return crypto.randomUUID();
}
