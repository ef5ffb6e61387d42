/** Headers as the shared code takes them. */

import type { FastifyRequest } from 'fastify';

/** One header's value; null where it is missing, or came more than once. */
export function headerOf(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' ? value : null;
}
