/** A vendor that only the origin reaches, over the origin's model relay. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import { MODEL_RELAY_PATH, parseRelayLine } from '@headwater/shared/protocol/model-relay';
import {
  DEFAULT_TIMEOUTS,
  type VendorTimeouts,
} from '@headwater/shared/protocol/upstream-settings';
import type {
  ModelProvider,
  ModelRequest,
  ProviderName,
} from '@headwater/shared/providers/contract';
import { cut, type EventConverter } from '@headwater/shared/providers/event-converter';
import { createNdjsonDecoder } from '@headwater/shared/providers/ndjson-body';
import { VendorError } from '@headwater/shared/providers/vendor-error';
import { streamVendor } from '@headwater/shared/providers/vendor-stream';

/** Where the origin is. */
export interface OriginProviderOptions {
  readonly name: ProviderName;
  /** At least one; the first that accepts a connection answers. */
  readonly originUrls: readonly string[];
  /** `INTERNAL_API_KEY`. */
  readonly apiKey?: string | undefined;
  /** Those of the vendor behind the origin. Default {@link DEFAULT_TIMEOUTS}. */
  readonly timeouts?: VendorTimeouts | undefined;
}

const VENDOR = 'The origin';

/**
 * Makes the vendor. A failure that the origin relays keeps the origin's code and words, and is no
 * failure of the origin itself: the origin has its own retries and its own circuit breaker.
 */
export function createOriginProvider(options: OriginProviderOptions): ModelProvider {
  const timeouts = options.timeouts ?? DEFAULT_TIMEOUTS;
  return {
    name: options.name,
    stream: (request, signal) =>
      streamVendor(
        () => ({
          vendor: VENDOR,
          open: (stop) => openRelay(options, request, stop),
          decoder: createNdjsonDecoder(createRelayConverter()),
          mapError: (thrown) => cut(VENDOR, thrown),
          timeouts,
        }),
        signal,
      ),
  };
}

/** The end is a line of its own: a finish may be followed by a failure of the relay. */
function createRelayConverter(): EventConverter {
  let isEnded = false;
  return {
    vendor: VENDOR,
    convert(data, batch) {
      const read = parseRelayLine(data);
      if (read === 'end') isEnded = true;
      else batch.push(...read);
    },
    ended: () => isEnded,
    whole: () => isEnded,
  };
}

async function openRelay(
  options: OriginProviderOptions,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<Response> {
  const response = await connect(options, request, signal);
  if (response.ok) return response;
  await response.body?.cancel();
  throw refusal(response.status);
}

async function connect(
  options: OriginProviderOptions,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<Response> {
  let cause: unknown;
  for (const base of options.originUrls) {
    try {
      return await fetch(new URL(MODEL_RELAY_PATH, base), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(options.apiKey === undefined ? {} : { 'x-api-key': options.apiKey }),
        },
        body: JSON.stringify(request),
        signal,
      });
    } catch (thrown) {
      // The next origin may be up; an abort ends the loop through the signal.
      cause = thrown;
      if (signal.aborted) break;
    }
  }
  throw new VendorError('unreachable', 'unavailable', 'No origin of ORIGIN_URL could be reached.', {
    cause,
  });
}

function refusal(status: number): GatewayError {
  switch (status) {
    case 401:
    case 403:
      return new GatewayError(
        'unavailable',
        'The origin refused the edge: set the same INTERNAL_API_KEY on both.',
      );
    case 400:
      return new GatewayError('validation_failed', 'The origin refused the model.');
    case 413:
      return new GatewayError('payload_too_large', 'The origin takes no request of this size.');
    case 503:
      return new GatewayError(
        'unavailable',
        'The origin has no such model provider: set OLLAMA_HOST.',
      );
    default:
      return new VendorError('broken', 'upstream_failed', 'The origin failed.');
  }
}
