/** One caller's new streams, as a Durable Object: exact, wherever its calls arrive. */

import { DurableObject } from 'cloudflare:workers';
import {
  createLazyLeaseKeeper,
  createLeaseBook,
  type LazyLeaseKeeper,
  type LeaseBook,
} from '@headwater/shared/gateway/subject-leases';
import {
  type Admission,
  type AdmitRequest,
  subjectLimitsOf,
} from '@headwater/shared/gateway/subject-ledger';
import {
  createLocalLedger,
  type LocalLedger,
} from '@headwater/shared/gateway/subject-ledger-local';
import {
  openSqlSubjectTables,
  type SqlSubjectTables,
} from '@headwater/shared/gateway/subject-ledger-sql';
import {
  type RateBucket,
  type RateDecision,
  takeFromBucket,
} from '@headwater/shared/security/rate-bucket';
import type { Env } from '../env.ts';
import { settingsOf } from '../env.ts';

/** How long after its first write an object looks for what has expired, in ms. */
const FIRST_SWEEP_MS = 60 * 60 * 1000;

/** Shortest time between two such looks, in ms. */
const SWEEP_PAUSE_MS = 60 * 1000;

/**
 * Live streams are written this long after the first that changed, in ms: a caller that opens
 * hundreds at once would otherwise wait for hundreds of commits, one after the other.
 */
const LEASE_WRITE_MS = 1_000;

/** The object knows one subject, and need not repeat its name in every row. */
const SELF = '';

export class SubjectObject extends DurableObject<Env> {
  readonly #tables: SqlSubjectTables;
  readonly #keeper: LazyLeaseKeeper;
  readonly #leases: LeaseBook;
  #ledger: LocalLedger | undefined;
  #taskRate: RateBucket | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    // Set with the first write, so that one is never kept without the other: what is written is
    // looked at again, and at last forgotten, though nobody may ever call again.
    const watch = () => void ctx.storage.setAlarm(Date.now() + FIRST_SWEEP_MS);
    this.#tables = openSqlSubjectTables(
      (query, ...values) => sql.exec(query, ...values).toArray(),
      watch,
    );
    this.#keeper = createLazyLeaseKeeper(this.#tables.leases, (flush) => {
      setTimeout(flush, LEASE_WRITE_MS);
    });
    this.#leases = createLeaseBook(this.#keeper);
  }

  /** Made at the first call: settings that cannot be parsed are that call's error. */
  #open(): LocalLedger {
    this.#ledger ??= createLocalLedger(subjectLimitsOf(settingsOf(this.env)), {
      claims: this.#tables.claims,
      leases: this.#leases,
    });
    return this.#ledger;
  }

  /** {@link SubjectLedger.admit}, by this object's clock: its callers' may differ. */
  admit(request: AdmitRequest): Admission {
    const nowMs = Date.now();
    const liveUntilMs = nowMs + request.liveUntilMs - request.nowMs;
    return this.#open().admit({ ...request, subject: SELF, nowMs, liveUntilMs });
  }

  /**
   * Asks for one submission of tasks. The rate lives in memory alone, as that of streams does: an
   * object that was gone for a while forgives at most a minute.
   */
  takeTaskRate(): RateDecision {
    const { taskRateLimitPerMinute } = settingsOf(this.env);
    const decision = takeFromBucket(this.#taskRate, Date.now(), taskRateLimitPerMinute);
    this.#taskRate = decision.state;
    return decision;
  }

  /** {@link SubjectLedger.confirm}. */
  confirm(key: string): void {
    this.#open().confirm(SELF, key);
  }

  /** {@link SubjectLedger.release}. */
  release(streamId: string): void {
    this.#open().release(SELF, streamId);
  }

  override async alarm(): Promise<void> {
    const nowMs = Date.now();
    this.#open().sweep(nowMs);
    this.#keeper.flush();
    const ends = [this.#tables.nextExpiryMs(), this.#leases.nextEndMs()];
    const nextMs = Math.min(...ends.map((endMs) => endMs ?? Number.POSITIVE_INFINITY));
    if (Number.isFinite(nextMs)) {
      await this.ctx.storage.setAlarm(Math.max(nextMs, nowMs + SWEEP_PAUSE_MS));
      return;
    }
    this.#tables.forget();
    await this.ctx.storage.deleteAll();
  }
}
