import { describe, expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import { createScriptedProvider, type ScriptedAttempt } from '../testing/scripted-provider.ts';
import type { ModelEvent, ModelProvider, ModelRequest } from './contract.ts';
import { guardProvider } from './guard-provider.ts';
import type { SleepClock } from './sleep.ts';
import { FAILURE_FACTS, type FailureKind, VendorError } from './vendor-error.ts';
import { DEFAULT_RETRY_POLICY, withRetries } from './with-retries.ts';

const REQUEST: ModelRequest = {
  model: 'm',
  messages: [{ role: 'user', content: 'hi' }],
  maxTokens: 9,
};
const TEXT: readonly ModelEvent[] = [{ type: 'text', text: 'a' }];
const whole: ScriptedAttempt = { batches: [TEXT] };

function failing(kind: FailureKind, retryAfterSeconds?: number): ScriptedAttempt {
  const details = retryAfterSeconds === undefined ? undefined : { retryAfterSeconds };
  const options = details === undefined ? {} : { details };
  return { error: new VendorError(kind, 'unavailable', kind, options) };
}

/** Sleeps at once, and keeps what it was asked for. */
function recordSleeps(): SleepClock & { readonly pauses: number[] } {
  const pauses: number[] = [];
  return {
    pauses,
    sleep: async (ms) => {
      pauses.push(ms);
    },
  };
}

async function hear(provider: ModelProvider, signal = new AbortController().signal) {
  const events: ModelEvent[] = [];
  try {
    for await (const batch of provider.stream(REQUEST, signal)) events.push(...batch);
  } catch (error) {
    return { events, error };
  }
  return { events, error: undefined };
}

describe('a provider with retries', () => {
  it.each(
    Object.entries(FAILURE_FACTS).map(([kind, facts]) => [kind as FailureKind, facts.isRetryable]),
  )('PROV-22: %s is tried again: %s', async (kind, isRetryable) => {
    const vendor = createScriptedProvider([failing(kind as FailureKind), whole]);
    const heard = await hear(withRetries(vendor, { clock: recordSleeps() }));
    expect(vendor.asked()).toBe(isRetryable ? 2 : 1);
    expect(heard.events).toEqual(isRetryable ? TEXT : []);
  });

  it('PROV-22: two further attempts at most, after pauses that double, and the last error is told', async () => {
    const clock = recordSleeps();
    const vendor = createScriptedProvider([failing('broken')]);
    const { error } = await hear(withRetries(vendor, { clock, random: () => 0 }));
    expect(error).toMatchObject({ kind: 'broken' });
    expect(vendor.asked()).toBe(3);
    expect(clock.pauses).toEqual([250, 500]);
    const late = recordSleeps();
    await hear(
      withRetries(createScriptedProvider([failing('broken')]), { clock: late, random: () => 1 }),
    );
    expect(late.pauses).toEqual([500, 1000]);
  });

  it('PROV-22: no pause of our own choice is longer than 8 s', async () => {
    const clock = recordSleeps();
    const policy = { ...DEFAULT_RETRY_POLICY, maxRetries: 10 };
    const vendor = createScriptedProvider([failing('broken')]);
    await hear(withRetries(vendor, { clock, policy, random: () => 1 }));
    expect(clock.pauses.at(-1)).toBe(8000);
  });

  it('PROV-22: never sooner than the vendor asked for', async () => {
    for (const random of [() => 0, () => 0.999]) {
      const clock = recordSleeps();
      const vendor = createScriptedProvider([failing('busy', 20), whole]);
      expect((await hear(withRetries(vendor, { clock, random }))).events).toEqual(TEXT);
      expect(clock.pauses[0]).toBeGreaterThanOrEqual(20_000);
      expect(clock.pauses[0]).toBeLessThan(21_000);
    }
  });

  it('PROV-22: a vendor that asks for more than 20 s fails at once, and the caller is told', async () => {
    const clock = recordSleeps();
    const vendor = createScriptedProvider([failing('busy', 21), whole]);
    const { error } = await hear(withRetries(vendor, { clock }));
    expect(error).toMatchObject({ details: { retryAfterSeconds: 21 } });
    expect(vendor.asked()).toBe(1);
    expect(clock.pauses).toEqual([]);
  });

  it('PROV-22: once anything of the answer came, it is not asked for again', async () => {
    const usage: readonly ModelEvent[] = [{ type: 'usage', inputTokens: 1 }];
    const vendor = createScriptedProvider([{ batches: [usage], ...failing('broken') }, whole]);
    const heard = await hear(withRetries(vendor, { clock: recordSleeps() }));
    expect(heard.events).toEqual(usage);
    expect(heard.error).toMatchObject({ kind: 'broken' });
    expect(vendor.asked()).toBe(1);
  });

  it('PROV-22: what no vendor caused is not tried again', async () => {
    const error = new GatewayError('upstream_failed', 'relayed');
    const vendor = createScriptedProvider([{ error }, whole]);
    expect((await hear(withRetries(vendor, { clock: recordSleeps() }))).error).toBe(error);
  });

  it.each(['abort', 'return'])(
    'PROV-22: an %s ends a pause at once, and no attempt follows',
    async (how) => {
      const stop = new AbortController();
      let isPausing: () => void = () => undefined;
      const pausing = new Promise<void>((resolve) => {
        isPausing = resolve;
      });
      const clock: SleepClock = {
        sleep: (_, signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => resolve(), { once: true });
            isPausing();
          }),
      };
      const vendor = createScriptedProvider([failing('broken')]);
      const batches = withRetries(vendor, { clock })
        .stream(REQUEST, stop.signal)
        [Symbol.asyncIterator]();
      const first = batches.next();
      await pausing;
      if (how === 'abort') stop.abort();
      else await batches.return?.();
      expect((await first).done).toBe(true);
      expect((await batches.next()).done).toBe(true);
      expect(vendor.asked()).toBe(1);
    },
  );

  it('PROV-9: returned in the middle of its first read, it stops the vendor and ends', async () => {
    const vendor = createScriptedProvider([{ hangs: true }]);
    const stream = withRetries(vendor).stream(REQUEST, new AbortController().signal);
    const batches = stream[Symbol.asyncIterator]();
    const pending = batches.next();
    await batches.return?.();
    expect((await pending).done).toBe(true);
    expect(vendor.stopped()).toBe(1);
  });

  it('PROV-22: after its last error the answer is over', async () => {
    const vendor = createScriptedProvider([failing('refused')]);
    const stream = withRetries(vendor).stream(REQUEST, new AbortController().signal);
    const batches = stream[Symbol.asyncIterator]();
    await expect(batches.next()).rejects.toMatchObject({ kind: 'refused' });
    expect((await batches.next()).done).toBe(true);
    expect(vendor.asked()).toBe(1);
  });
});

describe('a guarded provider', () => {
  const guard = { maxRetries: 5, breakerFailures: 3, breakerOpenMs: 30_000 };
  const clock = { ...recordSleeps(), nowMs: () => 0 };

  it('PROV-23: each attempt counts, and a retry that meets an open circuit ends there', async () => {
    const vendor = createScriptedProvider([failing('broken')]);
    const provider = guardProvider(vendor, { ...guard, clock });
    const { error } = await hear(provider);
    expect(vendor.asked()).toBe(3);
    expect(error).toMatchObject({ code: 'unavailable', details: { retryAfterSeconds: 30 } });
    expect(provider.circuit?.()).toBe('open');
  });

  it('PROV-22: 0 switches retries off, PROV-23: and the breaker', async () => {
    const vendor = createScriptedProvider([failing('broken')]);
    const bare = guardProvider(vendor, { ...guard, maxRetries: 0, breakerFailures: 0, clock });
    for (let count = 0; count < 9; count += 1) await hear(bare);
    expect(vendor.asked()).toBe(9);
    expect(bare.circuit).toBeUndefined();
  });

  it('PROV-28: keeps what else a provider can do', async () => {
    const listing = { ...createScriptedProvider([whole]), listModels: async () => [] };
    expect(await guardProvider(listing, guard).listModels()).toEqual([]);
  });
});
