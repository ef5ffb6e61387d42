/** What an origin's refusal means to the edge's caller. */

import * as z from 'zod';
import { ERROR_TABLE, type ErrorCode, GatewayError } from '../protocol/errors.ts';

/** A refusal, read. */
export interface OriginRefusal {
  readonly error: GatewayError;
  /** It is no answer of the origin's own: something in front of it says that it is away. */
  readonly isDown: boolean;
  /** Another origin may say otherwise. */
  readonly mayDifferElsewhere: boolean;
}

const CODES = Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]];

const SHAPE = z.object({
  error: z.object({
    code: z.enum(CODES),
    message: z.string().max(2000),
    details: z
      .object({
        fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
        retryAfterSeconds: z.number().optional(),
      })
      .optional(),
  }),
});

/** Longest refusal that is read, in characters. */
const MAX_CHARS = 256 * 1024;

/** Reads an answer of 400 and above. What is not in Headwater's shape is not shown to anybody. */
export async function readRefusal(response: Response): Promise<OriginRefusal> {
  const parsed = SHAPE.safeParse(await readJson(response));
  const { status } = response;
  if (!parsed.success) {
    const isDown = status === 502 || status === 503 || status === 504;
    const error = new GatewayError('upstream_failed', `The origin answered with ${status}.`);
    return { error, isDown, mayDifferElsewhere: isDown };
  }
  const { code, message, details } = parsed.data.error;
  if (code === 'unauthorized') {
    // The edge has authenticated the caller: it is the edge itself whom the origin does not know.
    const words = 'The origin refused the edge: set the same INTERNAL_API_KEY on both.';
    const error = new GatewayError('unavailable', words);
    return { error, isDown: false, mayDifferElsewhere: true };
  }
  const { fields, retryAfterSeconds } = details ?? {};
  const error = new GatewayError(code, message, {
    ...(details === undefined
      ? {}
      : {
          details: {
            ...(fields === undefined ? {} : { fields }),
            ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
          },
        }),
  });
  return { error, isDown: false, mayDifferElsewhere: code === 'unavailable' };
}

async function readJson(response: Response): Promise<unknown> {
  try {
    const text = await response.text();
    return text.length > MAX_CHARS ? undefined : JSON.parse(text);
  } catch {
    // Cut off, or no JSON: no refusal of Headwater's.
    return undefined;
  }
}
