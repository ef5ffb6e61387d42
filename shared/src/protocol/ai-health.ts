/** `GET /ai/health`, `/ai/health/services` and `/ai/health/gpu`: which services are real. */

import type { CircuitState } from '../providers/circuit-breaker.ts';
import type { ProviderName } from '../providers/contract.ts';

/** One service. `simulated`: it answers, and no model that is worth it is behind it. */
export interface ServiceView {
  readonly status: 'live' | 'simulated' | 'unavailable';
  /** Of one that is not live: what it takes. It names settings and commands only. */
  readonly missing?: string;
}

/** One vendor of models. */
export interface ProviderView {
  readonly live: boolean;
  readonly simulated?: true;
  readonly missing?: string;
  readonly circuit?: CircuitState['kind'];
}

/** Answer of `GET /ai/health/services`. */
export interface AiServicesView {
  /** By name: text services, speech, and `tasks/<type>`. */
  readonly services: Readonly<Record<string, ServiceView>>;
  readonly providers: Readonly<Record<ProviderName, ProviderView>>;
  readonly database: {
    readonly kind: 'embedded' | 'postgres' | 'none';
    readonly state: 'closed' | 'opening' | 'open' | 'away';
    /** Whether vectors can be kept; null until it is open. */
    readonly vectors: boolean | null;
  };
  /** Where streams and tasks are kept: on the disk of this process, or in Redis. */
  readonly storage: 'disk' | 'redis';
}

/** One graphics card; null where it does not say. */
export interface GpuView {
  readonly name: string;
  readonly driver_version: string | null;
  readonly memory_total_mib: number | null;
  readonly memory_used_mib: number | null;
  readonly utilization_percent: number | null;
  readonly temperature_celsius: number | null;
}

/** Answer of `GET /ai/health/gpu`, at most 5 s old. */
export type AiGpuView =
  | { readonly available: true; readonly gpus: readonly GpuView[] }
  | { readonly available: false; readonly reason: string };

/** Answer of `GET /ai/health`. */
export interface AiHealthView extends AiServicesView {
  /**
   * `ok`; `simulated` where the built-in simulation alone answers; `degraded` where the database is
   * away, or every live vendor of models is left alone because it kept failing.
   */
  readonly status: 'ok' | 'simulated' | 'degraded';
  readonly version: string;
  readonly gpu: AiGpuView;
}
