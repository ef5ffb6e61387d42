/** Which types of task can be asked for: by this node's own engines, and by those of the others. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Clock, Logger, MaybePromise } from '@headwater/shared/stream/ports';
import type { EngineEnvironment, EngineManifest } from '../engines/engine-manifest.ts';
import type { EngineRegistry } from '../engines/registry.ts';

/** What the nodes of a cluster run is asked at most this often, in ms. */
const ASK_EVERY_MS = 2_000;

/**
 * A type that no node runs any more is taken for this long, in ms: workers that are replaced, or
 * come back from a crash, find what was accepted meanwhile.
 */
const REMEMBER_MS = 10 * 60_000;

/** Whether a type can be asked for. */
type Availability = { readonly live: true } | { readonly live: false; readonly missing: string };

/** What it is wired to. */
export interface EngineDirectoryPorts {
  readonly registry: Pick<EngineRegistry, 'manifests' | 'missing' | 'manifestOf'>;
  readonly env: EngineEnvironment;
  /** Whether other nodes may run what this one cannot. */
  readonly isCluster: boolean;
  /** Types that live nodes run. */
  liveTypes(nowMs: number): MaybePromise<readonly string[]>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The types. */
export interface EngineDirectory {
  /** Those that this node runs, internal ones among them. */
  readonly own: readonly string[];
  /** Every type that a caller may know, as far as this node knows now. */
  all(): ReadonlyMap<string, Availability>;
  /** The same for the log: types with an engine, and types without one. */
  names(): { readonly live: readonly string[]; readonly missing: readonly string[] };
  /** Lets a type pass that a caller can ask for. Errors: `not_found`, `unavailable`. */
  require(type: string): Promise<void>;
  /** What the gateway itself may ask of a type, an internal one too. Errors: the same. */
  manifestFor(type: string): Promise<EngineManifest>;
}

/** Makes the directory. */
export function createEngineDirectory(ports: EngineDirectoryPorts): EngineDirectory {
  const { registry, clock } = ports;
  const lacks = new Map<string, string>(registry.missing);
  for (const [type, manifest] of registry.manifests) {
    const lack = lackOf(manifest, ports.env);
    if (lack !== undefined) lacks.set(type, lack);
  }
  const { role, workerTypes } = ports.env.tasks;
  const able = [...registry.manifests.keys()].filter((type) => !lacks.has(type));
  const chosen =
    workerTypes === undefined ? able : able.filter((type) => workerTypes.includes(type));
  const own = role === 'api' ? [] : chosen;
  /** When a node that runs the type was last seen. */
  const seenMs = new Map<string, number>();
  let askedMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  async function ask(nowMs: number): Promise<void> {
    try {
      for (const type of await ports.liveTypes(nowMs)) seenMs.set(type, nowMs);
    } catch (err) {
      // What was known stays known; who wants to be kept by the same store is told by it.
      ports.logger.warn({ err }, 'the engines of the other nodes are not known');
    }
    looking = undefined;
  }

  function look(nowMs: number): Promise<void> | undefined {
    if (!ports.isCluster) return undefined;
    if (nowMs - askedMs >= ASK_EVERY_MS && looking === undefined) {
      askedMs = nowMs;
      looking = ask(nowMs);
    }
    return looking;
  }

  function availabilityOf(type: string, nowMs: number): Availability {
    if (own.includes(type)) return { live: true };
    if (ports.isCluster) {
      // A task waits for the worker that takes it; whoever set this node up so means to run one.
      if (able.includes(type)) return { live: true };
      const isSeen = nowMs - (seenMs.get(type) ?? Number.NEGATIVE_INFINITY) <= REMEMBER_MS;
      if (isSeen && registry.manifests.has(type)) return { live: true };
    }
    const missing = lacks.get(type) ?? 'WORKER_TYPES of this origin leaves it out.';
    return { live: false, missing };
  }

  function all(): ReadonlyMap<string, Availability> {
    const nowMs = clock.nowMs();
    // Whoever asks how it is does not wait for a store that may be away.
    void look(nowMs);
    const engines = [...registry.manifests.values()].filter(({ internal }) => !internal);
    const types = [...engines.map(({ type }) => type), ...registry.missing.keys()].sort();
    return new Map(types.map((type) => [type, availabilityOf(type, nowMs)]));
  }

  async function requireLive(type: string): Promise<void> {
    const nowMs = clock.nowMs();
    if (!able.includes(type)) await look(nowMs);
    const availability = availabilityOf(type, nowMs);
    if (!availability.live) throw new GatewayError('unavailable', availability.missing);
  }

  return {
    own,
    all,
    names() {
      const known = [...all()];
      return {
        live: known.filter(([, { live }]) => live).map(([type]) => type),
        missing: known.filter(([, { live }]) => !live).map(([type]) => type),
      };
    },
    async require(type) {
      // Says in its own words what is unknown, or has no engine anywhere.
      registry.manifestOf(type);
      await requireLive(type);
    },
    async manifestFor(type) {
      const manifest = registry.manifests.get(type) ?? registry.manifestOf(type);
      await requireLive(type);
      return manifest;
    },
  };
}

function lackOf(manifest: EngineManifest, env: EngineEnvironment): string | undefined {
  const availability = manifest.availability(env);
  return availability.live ? undefined : availability.missing;
}
