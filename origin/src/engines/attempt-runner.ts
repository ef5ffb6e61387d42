/** Runs attempts within a child: loads engines, hands on their news, and says how they ended. */

import { describeError } from '@headwater/shared/protocol/describe-error';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Json } from '@headwater/shared/tasks/task';
import type { Engine, EngineEnvironment } from './engine-manifest.ts';
import {
  type EngineNews,
  type FromChild,
  MAX_RESULT_BYTES,
  type ToChild,
} from './engine-messages.ts';
import { createNewsGatherer } from './news-gatherer.ts';
import type { EngineRegistry } from './registry.ts';

/** What a runner is wired to. */
export interface AttemptRunnerPorts {
  /** Asked once, and again after a failure. */
  registry(): Promise<EngineRegistry>;
  readonly env: EngineEnvironment;
  send(message: FromChild): void;
  /** An engine was made ready. */
  loaded?(): void;
}

/** Takes what the parent says. */
export interface AttemptRunner {
  take(message: ToChild): void;
}

type RunMessage = Extract<ToChild, { type: 'run' }>;

/** An engine that could not be made ready. */
class UnloadableEngine extends Error {}

const STOPPED = new Error('The result is not wanted any more.');

/** Makes the runner. Engines stay loaded. */
export function createAttemptRunner(ports: AttemptRunnerPorts): AttemptRunner {
  const engines = new Map<string, Promise<Engine>>();
  let registry: Promise<EngineRegistry> | undefined;
  let running: { readonly attempt: number; readonly stop: AbortController } | undefined;

  function engineOf(type: string): Promise<Engine> {
    const known = engines.get(type);
    if (known !== undefined) return known;
    const engine = loadEngine(type);
    engines.set(type, engine);
    engine.catch(() => engines.delete(type));
    return engine;
  }

  async function loadEngine(type: string): Promise<Engine> {
    try {
      registry ??= ports.registry();
      const { createEngine } = await (await registry).load(type);
      const engine = await createEngine(ports.env);
      ports.loaded?.();
      return engine;
    } catch (thrown) {
      throw new UnloadableEngine('not loaded', { cause: thrown });
    }
  }

  async function run({ attempt, engine: type, params, files }: RunMessage): Promise<void> {
    const stop = new AbortController();
    running = { attempt, stop };
    const gatherer = createNewsGatherer((news) => ports.send({ type: 'news', attempt, news }));
    let end: FromChild;
    try {
      const engine = await engineOf(type);
      const { progress, text } = gatherer;
      const result = await engine.run({ params, files, signal: stop.signal, progress, text });
      end = { type: 'done', attempt, result: checkResult(result), ...lastOf(gatherer.end()) };
    } catch (thrown) {
      end = { ...describeFailure(attempt, thrown), ...lastOf(gatherer.end()) };
    }
    running = undefined;
    ports.send(stop.signal.aborted ? { type: 'stopped', attempt } : end);
  }

  return {
    take(message) {
      switch (message.type) {
        case 'run':
          void run(message);
          return;
        case 'load':
          // The attempt that comes meets the failure again, and reports it.
          engineOf(message.engine).catch(() => undefined);
          return;
        case 'stop':
          if (running?.attempt === message.attempt) running.stop.abort(STOPPED);
      }
    },
  };
}

function lastOf(news: EngineNews | undefined): { readonly news?: EngineNews } {
  return news === undefined ? {} : { news };
}

/** Throws `payload_too_large`, and a TypeError for what is no JSON. */
function checkResult(result: Json): Json {
  const json = JSON.stringify(result) as string | undefined;
  if (json === undefined) return null;
  // A character is at least a byte, so that short ones need no counting.
  if (json.length * 3 > MAX_RESULT_BYTES && Buffer.byteLength(json) > MAX_RESULT_BYTES) {
    throw new GatewayError(
      'payload_too_large',
      `The result is larger than ${MAX_RESULT_BYTES / 1024 / 1024} MiB.`,
    );
  }
  return result;
}

function describeFailure(attempt: number, thrown: unknown): FromChild {
  const isUnloadable = thrown instanceof UnloadableEngine;
  const fault = isUnloadable ? thrown.cause : thrown;
  const cause = describeError(fault);
  if (fault instanceof GatewayError) {
    const { code, message, details } = fault;
    const seconds = details?.retryAfterSeconds;
    const retry = seconds === undefined ? {} : { retryAfterMs: seconds * 1000 };
    const unloadable = isUnloadable ? { isUnloadable } : {};
    return { type: 'failed', attempt, code, message, cause, ...retry, ...unloadable };
  }
  return isUnloadable
    ? {
        type: 'failed',
        attempt,
        code: 'unavailable',
        message: 'The engine cannot be started here. The log says why.',
        cause,
        isUnloadable,
      }
    : {
        type: 'failed',
        attempt,
        code: 'processing_failed',
        message: 'The engine failed. The log says why.',
        cause,
      };
}
