/** The live streams of every subject, in memory; a keeper makes them outlive it. */

/** One live stream. */
export interface Lease {
  readonly subject: string;
  readonly streamId: string;
  /** It is over then at the latest, in ms since 1970. */
  readonly untilMs: number;
}

/** Where leases outlive the memory. */
export interface LeaseKeeper {
  load(): Iterable<Lease>;
  put(lease: Lease): void;
  drop(subject: string, streamId: string): void;
}

/** Leases by subject. */
export interface LeaseBook {
  has(subject: string, streamId: string): boolean;
  /** How many the subject has; exact from `enough` on, and never too small. */
  count(subject: string, nowMs: number, enough: number): number;
  add(subject: string, streamId: string, untilMs: number): void;
  drop(subject: string, streamId: string): void;
  /** Forgets what has expired. */
  sweep(nowMs: number): void;
  /** When the first of all ends; undefined where there is none. */
  nextEndMs(): number | undefined;
}

/** Makes the book, with what the keeper has. */
export function createLeaseBook(keeper?: LeaseKeeper): LeaseBook {
  const untilBySubject = new Map<string, Map<string, number>>();

  function remember({ subject, streamId, untilMs }: Lease): void {
    const known = untilBySubject.get(subject);
    if (known === undefined) untilBySubject.set(subject, new Map([[streamId, untilMs]]));
    else known.set(streamId, untilMs);
  }

  function drop(subject: string, streamId: string): void {
    const known = untilBySubject.get(subject);
    if (known?.delete(streamId) !== true) return;
    if (known.size === 0) untilBySubject.delete(subject);
    keeper?.drop(subject, streamId);
  }

  function sweepSubject(subject: string, nowMs: number): void {
    for (const [streamId, untilMs] of untilBySubject.get(subject) ?? []) {
      if (untilMs <= nowMs) drop(subject, streamId);
    }
  }

  for (const lease of keeper?.load() ?? []) remember(lease);

  return {
    has: (subject, streamId) => untilBySubject.get(subject)?.has(streamId) === true,
    count(subject, nowMs, enough) {
      const size = untilBySubject.get(subject)?.size ?? 0;
      // Expired ones only matter where they would refuse somebody.
      if (size < enough) return size;
      sweepSubject(subject, nowMs);
      return untilBySubject.get(subject)?.size ?? 0;
    },
    add(subject, streamId, untilMs) {
      // A keeper that refuses leaves no lease behind.
      keeper?.put({ subject, streamId, untilMs });
      remember({ subject, streamId, untilMs });
    },
    drop,
    sweep(nowMs) {
      for (const subject of untilBySubject.keys()) sweepSubject(subject, nowMs);
    },
    nextEndMs() {
      let next: number | undefined;
      for (const leases of untilBySubject.values()) {
        for (const untilMs of leases.values()) next = Math.min(next ?? untilMs, untilMs);
      }
      return next;
    },
  };
}

/** A keeper that writes what changed now and then, all at once. */
export interface LazyLeaseKeeper extends LeaseKeeper {
  /** Writes what has changed. */
  flush(): void;
}

/**
 * Makes one. `soon` calls back once, before long; what changes until then is one write, and a stream
 * that has ended by then none. A crash loses that much: its streams count no more.
 */
export function createLazyLeaseKeeper(
  keeper: LeaseKeeper,
  soon: (flush: () => void) => void,
): LazyLeaseKeeper {
  /** By subject and stream; `undefined` for a lease that has ended. */
  let changed = new Map<string, { lease: Omit<Lease, 'untilMs'>; untilMs: number | undefined }>();
  const kept = new Set<string>();
  const nameOf = (subject: string, streamId: string) => JSON.stringify([subject, streamId]);

  function flush(): void {
    const changes = changed;
    changed = new Map();
    for (const [name, { lease, untilMs }] of changes) {
      if (untilMs !== undefined) {
        keeper.put({ ...lease, untilMs });
        kept.add(name);
      } else if (kept.delete(name)) keeper.drop(lease.subject, lease.streamId);
    }
  }

  function note(subject: string, streamId: string, untilMs: number | undefined): void {
    if (changed.size === 0) soon(flush);
    changed.set(nameOf(subject, streamId), { lease: { subject, streamId }, untilMs });
  }

  return {
    *load() {
      for (const lease of keeper.load()) {
        kept.add(nameOf(lease.subject, lease.streamId));
        yield lease;
      }
    },
    put: ({ subject, streamId, untilMs }) => note(subject, streamId, untilMs),
    drop: (subject, streamId) => note(subject, streamId, undefined),
    flush,
  };
}
