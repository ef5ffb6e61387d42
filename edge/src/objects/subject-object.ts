/** One caller's rate of new streams, as a Durable Object: exact, wherever its calls arrive. */

import { DurableObject } from 'cloudflare:workers';
import { type RateBucket, takeFromBucket } from '@headwater/shared/security/rate-bucket';
import type { Env } from '../env.ts';
import { settingsOf } from '../env.ts';

export class SubjectObject extends DurableObject<Env> {
  /** In memory alone: an eviction forgives at most a minute, and a full minute needs no memory. */
  #bucket: RateBucket | undefined;

  /** Takes one from the caller's rate. Returns 0, or the seconds to wait. */
  admit(): number {
    const decision = takeFromBucket(
      this.#bucket,
      Date.now(),
      settingsOf(this.env).rateLimitPerMinute,
    );
    this.#bucket = decision.state;
    return decision.allowed ? 0 : decision.retryAfterSeconds;
  }
}
