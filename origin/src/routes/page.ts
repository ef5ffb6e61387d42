/** The pages at `/` and `/docs`, as vite built them. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const PAGE_FOLDER = fileURLToPath(new URL('../../../web/dist', import.meta.url));

/** The page runs its own scripts, and talks to its own host. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/** Adds the pages where they have been built; an origin without them is an API alone. */
export async function addPage(app: FastifyInstance): Promise<void> {
  if (!existsSync(PAGE_FOLDER)) return;
  await app.register(fastifyStatic, {
    root: PAGE_FOLDER,
    // `/docs` is docs.html, as on the edge.
    extensions: ['html'],
    setHeaders(reply) {
      reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
      reply.header('x-content-type-options', 'nosniff');
      reply.header('referrer-policy', 'no-referrer');
    },
  });
}
