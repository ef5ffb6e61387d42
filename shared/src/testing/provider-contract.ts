/** What every vendor's adapter must do, against a scripted vendor: over HTTP on Node, in memory anywhere. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ErrorCode, GatewayError } from '../protocol/errors.ts';
import type {
  FinishReason,
  ModelEvent,
  ModelProvider,
  ModelRequest,
} from '../providers/contract.ts';
import {
  FIXED_ANSWER,
  scriptedAnswer,
  scriptedPrompt,
  scriptedSent,
  scriptedUsage,
  type VendorDirective,
} from './vendors/directive.ts';
import type { RecordedRequest, ScriptedVendor } from './vendors/scripted-requests.ts';

/** How the suite gets a vendor and a provider that asks it. */
export interface ProviderUnderTest {
  /** A name that the vendor would know. */
  readonly model: string;
  /** What the message of a refused key must name. */
  readonly keySetting: string;
  /** False for a vendor in memory, which has no address that could be deserted. */
  readonly hasAddress: boolean;
  startVendor(): Promise<ScriptedVendor>;
  make(vendor: ScriptedVendor, settings: { readonly timeoutMs?: number }): ModelProvider;
}

/** Everything a stream gave. */
interface Heard {
  readonly batches: (readonly ModelEvent[])[];
  readonly text: string;
  readonly usage: { readonly inputTokens?: number; readonly outputTokens?: number };
  readonly finishes: readonly FinishReason[];
  readonly error: unknown;
}

/** Long enough for a loaded machine to answer, short enough to wait for. */
const SILENCE_MS = 400;

/** Registers the suite. */
export function describeProviderContract(name: string, subject: ProviderUnderTest): void {
  describe(`provider contract: ${name}`, () => {
    let vendor: ScriptedVendor;
    let provider: ModelProvider;

    beforeAll(async () => {
      vendor = await subject.startVendor();
      provider = subject.make(vendor, {});
    });
    afterAll(() => vendor.close());

    const ask = (prompt: string, maxTokens = 1000): ModelRequest => ({
      model: subject.model,
      messages: [{ role: 'user', content: prompt }],
      maxTokens,
    });
    const hear = (prompt: string, maxTokens?: number) =>
      listen(provider.stream(ask(prompt, maxTokens), new AbortController().signal));
    const hearScript = (directive: VendorDirective) => hear(scriptedPrompt(directive));

    it('PROV-1: sends its request when it is first iterated, not before', async () => {
      const before = vendor.requests.length;
      const stream = provider.stream(ask('not yet'), new AbortController().signal);
      const batches = stream[Symbol.asyncIterator]();
      expect(vendor.requests.length).toBe(before);
      await batches.next();
      expect(vendor.requests.length).toBe(before + 1);
      await batches.return?.();
    });

    it('PROV-2: gives every byte of the text, in batches that are never empty', async () => {
      const heard = await hear('plain');
      expect(heard.error).toBeUndefined();
      expect(heard.text).toBe(FIXED_ANSWER);
      expect(heard.batches.every((batch) => batch.length > 0)).toBe(true);
    });

    it.each([1, 2, 3, 7, 64])(
      'PROV-3: survives a body cut every %i bytes, also inside a character',
      async (bytesPerWrite) => {
        const prompt = scriptedPrompt({ bytesPerWrite });
        const heard = await hear(prompt);
        expect(heard.error).toBeUndefined();
        expect(heard.text).toBe(scriptedAnswer(prompt));
        expect(heard.usage).toEqual(scriptedUsage(prompt));
      },
    );

    it('PROV-4: gives the usage that the vendor counted, cached input included', async () => {
      const prompt = scriptedPrompt({ tokens: 30, seed: 4 });
      expect((await hear(prompt)).usage).toEqual(scriptedUsage(prompt));
    });

    it('PROV-4: gives an answer without usage as it is', async () => {
      const heard = await hearScript({ fault: 'no-usage' });
      expect(heard.error).toBeUndefined();
      expect(heard.finishes).toEqual(['stop']);
      expect(heard.usage.outputTokens).toBeUndefined();
    });

    it('PROV-5: says once why the answer ended', async () => {
      expect((await hear('plain')).finishes).toEqual(['stop']);
    });

    it('PROV-5: says that the bound on tokens ended it, and passes that bound on', async () => {
      const prompt = scriptedPrompt({ tokens: 9 });
      const heard = await hear(prompt, 4);
      expect(heard.finishes).toEqual(['length']);
      expect(heard.usage.outputTokens).toBe(4);
    });

    it.each(['cut', 'cut-mid-event', 'error-event', 'malformed'] as const)(
      'PROV-6: gives the text before a fault, then fails with upstream_failed (%s)',
      async (fault) => {
        const prompt = scriptedPrompt({ fault, afterTokens: 3 });
        const heard = await hear(prompt);
        expect(heard.text).toBe(scriptedSent(prompt));
        expect(heard.finishes).toEqual([]);
        expectGatewayError(heard.error, 'upstream_failed');
      },
    );

    it.each(['no-finish', 'empty'] as const)(
      'PROV-7: takes no body for whole that lacks the end marker (%s)',
      async (fault) => {
        const heard = await hearScript({ fault });
        expect(heard.finishes).toEqual([]);
        expectGatewayError(heard.error, 'upstream_failed');
      },
    );

    it('PROV-8: fails with upstream_timeout when the vendor falls silent', async () => {
      const prompt = scriptedPrompt({ fault: 'stall', afterTokens: 2 });
      const impatient = subject.make(vendor, { timeoutMs: SILENCE_MS });
      const heard = await listen(impatient.stream(ask(prompt), new AbortController().signal));
      expect(heard.text).toBe(scriptedSent(prompt));
      expectGatewayError(heard.error, 'upstream_timeout');
      await expectAborted(vendor.requests.at(-1));
    });

    it('PROV-8: fails with upstream_timeout when no header comes', async () => {
      const prompt = scriptedPrompt({ firstDelayMs: SILENCE_MS * 4 });
      const impatient = subject.make(vendor, { timeoutMs: SILENCE_MS });
      const heard = await listen(impatient.stream(ask(prompt), new AbortController().signal));
      expectGatewayError(heard.error, 'upstream_timeout');
    });

    it('PROV-9: closes the upstream request and ends quietly when the signal aborts', async () => {
      const stop = new AbortController();
      const prompt = scriptedPrompt({ fault: 'stall', afterTokens: 2 });
      const heard = await listen(provider.stream(ask(prompt), stop.signal), () => stop.abort());
      expect(heard.error).toBeUndefined();
      expect(heard.batches.length).toBeGreaterThan(0);
      await expectAborted(vendor.requests.at(-1));
    });

    it('PROV-9: closes the upstream request when its iterator is returned in the middle of a read', async () => {
      const prompt = scriptedPrompt({ fault: 'stall', afterTokens: 1 });
      const stream = provider.stream(ask(prompt), new AbortController().signal);
      const batches = stream[Symbol.asyncIterator]();
      let text = '';
      while (text === '') text = textOf((await batches.next()).value ?? []);
      const pending = batches.next();
      await batches.return?.();
      expect((await pending).done).toBe(true);
      await expectAborted(vendor.requests.at(-1));
    });

    it('PROV-9: sends nothing when the signal has aborted already', async () => {
      const before = vendor.requests.length;
      const heard = await listen(provider.stream(ask('too late'), AbortSignal.abort()));
      expect(heard.error).toBeUndefined();
      expect(vendor.requests.length).toBe(before);
    });

    it.each([
      [401, 'unavailable'],
      [403, 'unavailable'],
      [400, 'validation_failed'],
      [404, 'validation_failed'],
      [422, 'validation_failed'],
      [429, 'unavailable'],
      [500, 'upstream_failed'],
      [503, 'upstream_failed'],
    ] as const)('PROV-10: maps status %i to %s, in words of its own', async (status, code) => {
      const heard = await hearScript({ status });
      expectGatewayError(heard.error, code);
      expect(heard.batches).toEqual([]);
    });

    it('PROV-10: names the setting of a key that is refused', async () => {
      const error = expectGatewayError((await hearScript({ status: 401 })).error, 'unavailable');
      expect(error.message).toContain(subject.keySetting);
    });

    it('PROV-10: names the model that the vendor does not know', async () => {
      const heard = await hearScript({ status: 404 });
      const error = expectGatewayError(heard.error, 'validation_failed');
      expect(error.message).toContain(subject.model);
      expect(error.details?.fields?.[0]?.path).toBe('model');
    });

    if (subject.hasAddress) {
      it('PROV-10: fails with upstream_failed when nothing answers at the address', async () => {
        const gone = await subject.startVendor();
        await gone.close();
        const stream = subject.make(gone, {}).stream(ask('anyone?'), new AbortController().signal);
        expectGatewayError((await listen(stream)).error, 'upstream_failed');
      });
    }

    it('PROV-11: passes on when a limited request may be made again', async () => {
      const heard = await hearScript({ status: 429, retryAfter: '2' });
      const error = expectGatewayError(heard.error, 'unavailable');
      expect(error.details?.retryAfterSeconds).toBe(2);
    });
  });
}

async function listen(
  stream: AsyncIterable<readonly ModelEvent[]>,
  onBatch: () => void = () => undefined,
): Promise<Heard> {
  const batches: (readonly ModelEvent[])[] = [];
  let error: unknown;
  try {
    for await (const batch of stream) {
      batches.push(batch);
      onBatch();
    }
  } catch (thrown) {
    error = thrown;
  }
  const events = batches.flat();
  const usage = {};
  for (const { type, ...totals } of events.filter((event) => event.type === 'usage')) {
    Object.assign(usage, totals);
  }
  const finishes = events.flatMap((event) => (event.type === 'finish' ? [event.reason] : []));
  return { batches, text: textOf(events), usage, finishes, error };
}

function textOf(events: readonly ModelEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.text : '')).join('');
}

function expectGatewayError(thrown: unknown, code: ErrorCode): GatewayError {
  expect(thrown).toBeInstanceOf(GatewayError);
  const error = thrown as GatewayError;
  expect(error.code).toBe(code);
  // The scripted vendors put these words into every error they report.
  expect(error.message).not.toContain('vendor secret words');
  return error;
}

/** The vendor notices a lost connection a moment after the gateway drops it. */
async function expectAborted(request: RecordedRequest | undefined): Promise<void> {
  await expect.poll(() => request?.aborted, { timeout: 2000, interval: 5 }).toBe(true);
}
