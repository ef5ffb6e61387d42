import { describe, expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import { createScriptedProvider, type ScriptedAttempt } from '../testing/scripted-provider.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import type { ModelEvent, ModelProvider, ModelRequest } from './contract.ts';
import { FAILURE_FACTS, type FailureKind, VendorError } from './vendor-error.ts';
import { withBreaker } from './with-breaker.ts';

const REQUEST: ModelRequest = {
  model: 'm',
  messages: [{ role: 'user', content: 'hi' }],
  maxTokens: 9,
};
const TEXT: readonly ModelEvent[] = [{ type: 'text', text: 'a' }];
const failure = (kind: FailureKind) => new VendorError(kind, 'upstream_failed', kind);
const broken: ScriptedAttempt = { error: failure('broken') };
const whole: ScriptedAttempt = { batches: [TEXT] };

function setUp(...attempts: ScriptedAttempt[]) {
  const clock = createVirtualClock();
  const vendor = createScriptedProvider(attempts);
  const policy = { failures: 2, openMs: 30_000, probeMs: 300_000 };
  return { clock, vendor, provider: withBreaker(vendor, { policy, nowMs: clock.nowMs }) };
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

describe('a provider with a circuit breaker', () => {
  it('PROV-23: after so many failures it fails at once, says when to come back, and asks nobody', async () => {
    const { clock, vendor, provider } = setUp(broken);
    await hear(provider);
    expect(provider.circuit()).toBe('closed');
    await hear(provider);
    expect(provider.circuit()).toBe('open');
    await clock.advance(12_500);
    const { error } = await hear(provider);
    expect(error).toMatchObject({ code: 'unavailable', details: { retryAfterSeconds: 18 } });
    expect(vendor.asked()).toBe(2);
  });

  it('PROV-23: one probe at a time decides whether it closes', async () => {
    const { clock, vendor, provider } = setUp(broken, broken, { hangs: true }, whole);
    await hear(provider);
    await hear(provider);
    await clock.advance(30_000);
    expect(provider.circuit()).toBe('half-open');
    const stop = new AbortController();
    const probe = hear(provider, stop.signal);
    expect((await hear(provider)).error).toMatchObject({ code: 'unavailable' });
    expect(vendor.asked()).toBe(3);
    stop.abort();
    await probe;
    // The probe's caller left: that says nothing, and the next one looks.
    expect((await hear(provider)).events).toEqual(TEXT);
    expect(provider.circuit()).toBe('closed');
  });

  it('PROV-23: a probe whose reader leaves makes way for the next', async () => {
    const { clock, vendor, provider } = setUp(broken, broken, { hangs: true }, whole);
    await hear(provider);
    await hear(provider);
    await clock.advance(30_000);
    const probe = provider.stream(REQUEST, new AbortController().signal)[Symbol.asyncIterator]();
    const pending = probe.next();
    await probe.return?.();
    await pending;
    expect((await hear(provider)).events).toEqual(TEXT);
    expect(vendor.asked()).toBe(4);
  });

  it('PROV-23: a cut answer counts although it began', async () => {
    const { provider } = setUp({ batches: [TEXT], error: failure('cut') });
    await hear(provider);
    await hear(provider);
    expect(provider.circuit()).toBe('open');
  });

  it.each(
    Object.entries(FAILURE_FACTS).map(([kind, { isOutage }]) => [kind as FailureKind, isOutage]),
  )('PROV-23: of failures in a row, %s counts: %s', async (kind, isOutage) => {
    const { provider } = setUp({ error: failure(kind as FailureKind) });
    await hear(provider);
    await hear(provider);
    expect(provider.circuit()).toBe(isOutage ? 'open' : 'closed');
  });

  it('PROV-23: a request that was never fit to be sent counts neither way', async () => {
    const unfit = { error: new GatewayError('validation_failed', 'unfit') };
    const { provider } = setUp(broken, unfit, broken);
    await hear(provider);
    await hear(provider);
    expect(provider.circuit()).toBe('closed');
    await hear(provider);
    expect(provider.circuit()).toBe('open');
  });

  it('PROV-9: returned in the middle of a read, it stops the vendor and ends', async () => {
    const { vendor, provider } = setUp({ batches: [TEXT], hangs: true });
    const batches = provider.stream(REQUEST, new AbortController().signal)[Symbol.asyncIterator]();
    await batches.next();
    const pending = batches.next();
    await batches.return?.();
    expect((await pending).done).toBe(true);
    expect(vendor.stopped()).toBe(1);
    expect((await batches.next()).done).toBe(true);
  });

  it('PROV-9: refused once, the same answer is over', async () => {
    const { provider } = setUp(broken);
    await hear(provider);
    await hear(provider);
    const batches = provider.stream(REQUEST, new AbortController().signal)[Symbol.asyncIterator]();
    await expect(batches.next()).rejects.toMatchObject({ code: 'unavailable' });
    expect((await batches.next()).done).toBe(true);
  });
});
