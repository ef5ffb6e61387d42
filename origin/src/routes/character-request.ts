/** Parts of the requests of the character services. */

import { requireJson } from '@headwater/shared/gateway/require-json';
import { readCharacterRequest } from '@headwater/shared/protocol/characters';
import { parseJsonObject } from '@headwater/shared/protocol/init-stream';
import type { FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { headerOf } from './header.ts';

/** The body, checked. Errors: `unsupported_media_type`, `validation_failed`. */
export function readBody<Schema extends z.ZodType>(
  request: FastifyRequest,
  schema: Schema,
): z.output<Schema> {
  requireJson(headerOf(request, 'content-type'));
  const text = typeof request.body === 'string' ? request.body : '';
  return readCharacterRequest(schema, parseJsonObject(text));
}
