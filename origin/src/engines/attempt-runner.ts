/** Runs attempts within a child: loads engines, hands on their news, and says how they ended. */

import { describeError } from '@headwater/shared/protocol/describe-error';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Json } from '@headwater/shared/tasks/task';
import { type Engine, type EngineEnvironment, MAX_CHECKPOINT_BYTES } from './engine-manifest.ts';
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

  async function run({
    attempt,
    engine: type,
    params,
    files,
    checkpoint,
  }: RunMessage): Promise<void> {
    const stop = new AbortController();
    running = { attempt, stop };
    const gatherer = createNewsGatherer((news) => ports.send({ type: 'news', attempt, news }));
    let end: FromChild;
    try {
      const engine = await engineOf(type);
      const { progress, text } = gatherer;
      let refusal: unknown;
      const result = await engine.run({
        params,
        files,
        checkpoint: checkpoint === undefined ? undefined : (JSON.parse(checkpoint) as Json),
        signal: stop.signal,
        progress,
        text,
        keep(value) {
          try {
            gatherer.checkpoint(jsonWithin(value, MAX_CHECKPOINT_BYTES, 'The checkpoint'));
          } catch (thrown) {
            // Whether the engine hears of it or not: an attempt after this one could not go on.
            refusal ??= thrown;
            throw thrown;
          }
        },
      });
      if (refusal !== undefined) throw refusal;
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

/** What is no value of JSON counts as none. Errors: those of {@link jsonWithin}. */
function checkResult(result: Json): Json {
  return jsonWithin(result, MAX_RESULT_BYTES, 'The result') === NO_JSON ? null : result;
}

const NO_JSON = 'null';

/** Throws `payload_too_large`, and a TypeError for what has no end. */
function jsonWithin(value: Json, maxBytes: number, what: string): string {
  const json = (JSON.stringify(value) as string | undefined) ?? NO_JSON;
  // A character is at most three bytes, so that short ones need no counting.
  if (json.length * 3 > maxBytes && Buffer.byteLength(json) > maxBytes) {
    throw new GatewayError(
      'payload_too_large',
      `${what} is larger than ${maxBytes / 1024 / 1024} MiB.`,
    );
  }
  return json;
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
