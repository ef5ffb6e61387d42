import { setTimeout as delay } from 'node:timers/promises';
import { CommandFault } from '../processes/command.ts';

const POLL_INTERVAL_MS = 150;
const REQUEST_TIMEOUT_MS = 2000;
const READY_TIMEOUT_MS = 60_000;

/** What `/health` says of one provider. */
export type ProviderHealth = {
  readonly live: boolean;
  /** The setting that makes it live; absent for what needs none. */
  readonly setting?: string;
  /** Whether it answers without any model behind it. */
  readonly simulated?: boolean;
};

/** What `/health` says of what does one type of task. */
export type EngineHealth = {
  readonly live: boolean;
  /** What it takes, where it is not live. */
  readonly missing?: string;
};

/** The part of the answer of `/health` that the start shows. */
export type HealthReport = {
  readonly version: string;
  readonly defaultModel: string;
  readonly providers: Readonly<Record<string, ProviderHealth>>;
  /** By type of task; empty where no origin answers for them. */
  readonly engines: Readonly<Record<string, EngineHealth>>;
};

/**
 * Asks `<baseUrl>/health` until it answers 200 with a health report.
 *
 * @param name what to call the asked one in messages
 * @param stop gives up at once
 * @returns the report; rejects with a `CommandFault` after 60 s
 */
export async function waitForHealth(
  name: string,
  baseUrl: string,
  stop: AbortSignal,
  ports: {
    readonly fetch?: typeof fetch;
    readonly pause?: () => Promise<unknown>;
    readonly now?: () => number;
  } = {},
): Promise<HealthReport> {
  const pause = ports.pause ?? (() => delay(POLL_INTERVAL_MS));
  const now = ports.now ?? (() => performance.now());
  const deadline = now() + READY_TIMEOUT_MS;
  let lastAnswer = 'no answer';
  while (now() < deadline) {
    stop.throwIfAborted();
    const answer = await askHealth(`${baseUrl}/health`, ports.fetch ?? fetch, stop);
    if (typeof answer !== 'string') return answer;
    lastAnswer = answer;
    await pause();
  }
  const seconds = READY_TIMEOUT_MS / 1000;
  throw new CommandFault(`The ${name} was not ready after ${seconds} s: ${lastAnswer}.`);
}

async function askHealth(
  url: string,
  ask: typeof fetch,
  stop: AbortSignal,
): Promise<HealthReport | string> {
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
    const response = await ask(url, { signal });
    const body: unknown = await response.json();
    if (!response.ok) return `${url} answered ${response.status}`;
    return parseHealth(body) ?? `${url} answered something else than a health report`;
  } catch (error) {
    // Nobody listens yet, or what listens is not ready to speak; the caller asks again.
    return `${url}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Reads a health report; undefined when the body is none. */
export function parseHealth(body: unknown): HealthReport | undefined {
  if (!isRecord(body) || !isRecord(body['providers'])) return undefined;
  const { version, defaultModel } = body;
  const providers: Record<string, ProviderHealth> = {};
  for (const [name, provider] of Object.entries(body['providers'])) {
    if (!isRecord(provider) || typeof provider['live'] !== 'boolean') return undefined;
    const { setting } = provider;
    providers[name] = {
      live: provider['live'],
      simulated: provider['simulated'] === true,
      ...(typeof setting === 'string' ? { setting } : {}),
    };
  }
  const engines = parseEngines(body['engines'] ?? {});
  if (engines === undefined) return undefined;
  return { version: String(version), defaultModel: String(defaultModel), providers, engines };
}

function parseEngines(body: unknown): Record<string, EngineHealth> | undefined {
  if (!isRecord(body)) return undefined;
  const engines: Record<string, EngineHealth> = {};
  for (const [type, engine] of Object.entries(body)) {
    if (!isRecord(engine) || typeof engine['live'] !== 'boolean') return undefined;
    const { live, missing } = engine;
    engines[type] = { live, ...(typeof missing === 'string' ? { missing } : {}) };
  }
  return engines;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
