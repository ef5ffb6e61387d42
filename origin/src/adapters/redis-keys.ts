/** Names and lives of what the cluster keeps of its streams in Redis. */

/** Events: one stream entry a batch, with the id `<epoch>-<number of its last event>`. */
export const logKey = (streamId: string): string => `hw:{${streamId}}:log`;

/** State, as JSON. */
export const stateKey = (streamId: string): string => `hw:{${streamId}}:state`;

/** Who may write: a hash of `instance` (`''` once the stream has ended) and `fence`. */
export const ownerKey = (streamId: string): string => `hw:{${streamId}}:owner`;

/** Channel of hints: `<epoch>-<seq>` after an append, `state` after the end is kept. */
export const newsChannel = (streamId: string): string => `hw:{${streamId}}:news`;

/** Set of the instances that have, or had, streams. */
export const INSTANCES_KEY = 'hw:instances';

/** An instance's sign of life: {@link ALIVE} or {@link LEAVING}. */
export const heartbeatKey = (instanceId: string): string => `hw:instance:${instanceId}`;

/** Set of the streams that an instance owns. */
export const ownedKey = (instanceId: string): string => `hw:owned:${instanceId}`;

/** Channel of messages to one instance. */
export const instanceChannel = (instanceId: string): string => `hw:to:${instanceId}`;

/** Sorted set of ended streams, by the time at which they are forgotten. */
export const RETAINED_KEY = 'hw:retained';

/** A heartbeat of an instance that answers for its streams. */
export const ALIVE = 'alive';

/** A heartbeat of an instance that has let its streams go. */
export const LEAVING = 'leaving';

/**
 * Life of a live stream's keys, in ms, renewed while an instance owns it: as long as a callback is
 * tried. Only what no instance has come back for ends by it.
 */
export const LIVE_TTL_MS = 72 * 60 * 60 * 1000;

/** How much longer than its retention an ended stream is kept where no instance forgets it, in ms. */
export const SPARE_TTL_MS = 60 * 60 * 1000;

/**
 * An owner that Redis has forgotten may write itself in again only within this time after its last
 * heartbeat, in ms: longer ago, the stream may have been taken over, ended and forgotten since.
 */
export const REWRITE_WITHIN_MS = 60_000;

/** How long an ended stream's owner key stays, in ms: longer than {@link REWRITE_WITHIN_MS}. */
export const TOMBSTONE_MS = 120_000;
