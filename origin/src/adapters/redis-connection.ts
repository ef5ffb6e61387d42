/** Connections to the cluster's Redis. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import { Redis } from 'ioredis';

/** A command waits this long for Redis to come back, in ms: a restart of Redis fails no stream. */
const COMMAND_TIMEOUT_MS = 15_000;

/** Longest pause between two attempts to connect, in ms: far below a heartbeat's life. */
const RETRY_MS = 250;

/**
 * Connects to `REDIS_URL`; goes on trying for ever. Commands wait for the connection, and those that
 * it broke under are sent again: whoever uses it sends nothing that does harm twice.
 *
 * `onError` hears of each outage once; without a listener ioredis would print every attempt.
 */
export function connectRedis(
  url: string,
  onError: (error: Error) => void,
  commandTimeoutMs: number = COMMAND_TIMEOUT_MS,
): Redis {
  const redis = new Redis(url, {
    commandTimeout: commandTimeoutMs,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(50 * times, RETRY_MS),
  });
  tellOutages(redis, onError);
  return redis;
}

/** Tells the first error of each outage: a client that is cut off has one with every attempt. */
export function tellOutages(redis: Redis, tell: (error: Error) => void): void {
  let isTold = false;
  redis.on('error', (error: Error) => {
    if (!isTold) tell(error);
    isTold = true;
  });
  redis.on('ready', () => {
    isTold = false;
  });
}

/** What a refused or unanswered command means to a caller. */
export function redisFault(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause;
  return new GatewayError('unavailable', 'Redis did not answer in time. Try again.', {
    cause,
    details: { retryAfterSeconds: 2 },
  });
}
