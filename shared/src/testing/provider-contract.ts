/** What every vendor's adapter must do, against a scripted vendor: over HTTP on Node, in memory anywhere. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ErrorCode, GatewayError } from '../protocol/errors.ts';
import type { VendorTimeouts } from '../protocol/upstream-settings.ts';
import type {
  FinishReason,
  ModelEvent,
  ModelProvider,
  ModelRequest,
} from '../providers/contract.ts';
import { MAX_EVENT_LENGTH } from '../providers/event-converter.ts';
import { failureKindOf } from '../providers/vendor-error.ts';
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
  make(vendor: ScriptedVendor, settings: { readonly timeouts?: VendorTimeouts }): ModelProvider;
}

/** Everything a stream gave. */
interface Heard {
  readonly batches: (readonly ModelEvent[])[];
  readonly text: string;
  readonly usage: { readonly inputTokens?: number; readonly outputTokens?: number };
  readonly toolCalls: readonly { id: string; name: string; arguments: string }[];
  readonly finishes: readonly FinishReason[];
  readonly error: unknown;
}

/** Long enough for a loaded machine to answer, short enough to wait for. */
const SILENCE_MS = 400;

/** Too long to matter, with those that a test gives. */
const patience = (impatience: Partial<VendorTimeouts>): VendorTimeouts => ({
  connectMs: 20_000,
  firstTokenMs: 20_000,
  idleMs: 20_000,
  totalMs: 20_000,
  ...impatience,
});

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
    const hearImpatiently = (directive: VendorDirective, timeouts: Partial<VendorTimeouts>) => {
      const impatient = subject.make(vendor, { timeouts: patience(timeouts) });
      const request = ask(scriptedPrompt(directive));
      return listen(impatient.stream(request, new AbortController().signal));
    };

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

    it('PROV-5: an end that is said twice ends the answer once', async () => {
      const heard = await hearScript({ fault: 'double-finish' });
      expect(heard.error).toBeUndefined();
      expect(heard.text).toBe(FIXED_ANSWER);
      expect(heard.finishes).toEqual(['stop']);
    });

    it.each([
      'cut',
      'cut-mid-event',
      'destroy-mid-event',
      'close-early',
      'error-event',
      'malformed',
    ] as const)(
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

    it('PROV-8: fails with upstream_timeout when no header comes, and says so', async () => {
      const directive = { firstDelayMs: SILENCE_MS * 4 };
      const heard = await hearImpatiently(directive, { connectMs: SILENCE_MS });
      const error = expectGatewayError(heard.error, 'upstream_timeout');
      expect(error.message).toContain('no headers within 0.4 s');
    });

    it.each([
      ['stalls', { fault: 'stall', afterTokens: 0 }],
      ['sends keep-alives alone', { keepAlives: 30, delayMs: 40 }],
    ] as const)(
      'PROV-8: fails with upstream_timeout when a vendor %s and never speaks',
      async (_, directive) => {
        const heard = await hearImpatiently(directive, { firstTokenMs: SILENCE_MS });
        expect(heard.text).toBe('');
        const error = expectGatewayError(heard.error, 'upstream_timeout');
        expect(error.message).toContain('said nothing within 0.4 s');
        await expectAborted(vendor.requests.at(-1));
      },
    );

    it('PROV-8: fails with upstream_timeout when the vendor falls silent in mid-answer', async () => {
      const directive = { fault: 'stall', afterTokens: 2 } as const;
      const heard = await hearImpatiently(directive, { idleMs: SILENCE_MS });
      expect(heard.text).toBe(scriptedSent(scriptedPrompt(directive)));
      const error = expectGatewayError(heard.error, 'upstream_timeout');
      expect(error.message).toContain('fell silent for 0.4 s');
      await expectAborted(vendor.requests.at(-1));
    });

    it('PROV-8: fails with upstream_timeout when an answer does not come to its end', async () => {
      const directive = { tokens: 1000, delayMs: 20 };
      const heard = await hearImpatiently(directive, { totalMs: SILENCE_MS });
      expect(heard.text).not.toBe('');
      const error = expectGatewayError(heard.error, 'upstream_timeout');
      expect(error.message).toContain('took longer than 0.4 s');
      await expectAborted(vendor.requests.at(-1));
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

    it('PROV-10: a connection that is dropped before any byte is an unreachable vendor', async () => {
      const heard = await hearScript({ fault: 'refuse' });
      expect(expectGatewayError(heard.error, 'upstream_failed').message).toContain('reached');
      expect(failureKindOf(heard.error)).toBe('unreachable');
      expect(heard.batches).toEqual([]);
    });

    it('PROV-10: a failure that passes leaves nothing behind for the next request', async () => {
      const prompt = scriptedPrompt({ status: 500, failTimes: 1 }, crypto.randomUUID());
      expectGatewayError((await hear(prompt)).error, 'upstream_failed');
      expect((await hear(prompt)).text).toBe(FIXED_ANSWER);
      expect(vendor.countOf(prompt)).toBe(2);
    });

    it('PROV-11: passes on when a limited request may be made again', async () => {
      const heard = await hearScript({ status: 429, retryAfter: '2' });
      const error = expectGatewayError(heard.error, 'unavailable');
      expect(error.details?.retryAfterSeconds).toBe(2);
    });

    it('PROV-15: takes one event of 300 KB whole', async () => {
      const heard = await hearScript({ hugeLength: 300_000 });
      expect(heard.error).toBeUndefined();
      expect(heard.text.length).toBe(300_000);
    });

    it('PROV-15: fails with upstream_failed at an event over 1 MiB', async () => {
      const heard = await hearScript({ hugeLength: MAX_EVENT_LENGTH + 1 });
      expect(heard.text).toBe('');
      expect(expectGatewayError(heard.error, 'upstream_failed').message).toContain('1 MiB');
    });

    it('PROV-21: an answer of nothing that calls itself complete fails with upstream_failed', async () => {
      const heard = await hearScript({ fault: 'no-text' });
      expect(expectGatewayError(heard.error, 'upstream_failed').message).toContain('nothing');
      expect(heard.finishes).toEqual([]);
    });

    it('PROV-21: an answer of nothing that a bound ended is whole', async () => {
      const heard = await hearScript({ fault: 'no-text', finish: 'length' });
      expect(heard.error).toBeUndefined();
      expect(heard.finishes).toEqual(['length']);
    });

    it.each([undefined, 1, 7])(
      'PROV-25: gives tool calls in order, cut every %s bytes, without a word of text',
      async (bytesPerWrite) => {
        const heard = await hearScript({
          toolCalls: CALLS,
          ...(bytesPerWrite === undefined ? {} : { bytesPerWrite }),
        });
        expect(heard.error).toBeUndefined();
        expect(heard.text).toBe('');
        expect(heard.toolCalls).toEqual([
          { id: 'call_scripted_0', ...CALLS[0] },
          { id: 'call_scripted_1', ...CALLS[1] },
          { id: 'call_scripted_2', ...CALLS[2] },
        ]);
        expect(heard.finishes).toEqual(['tool_calls']);
      },
    );

    it('PROV-25: gives the text in front of a tool call', async () => {
      const heard = await hearScript({ text: 'Let me see.', toolCalls: CALLS.slice(0, 1) });
      expect(heard.text).toBe('Let me see.');
      expect(heard.toolCalls.length).toBe(1);
    });
  });
}

const CALLS = [
  { name: 'weather', arguments: '{"city":"漢字 Zürich","days":3}' },
  { name: 'clock', arguments: '{}' },
  { name: 'weather', arguments: '{"city":"Oslo"}' },
];

/** Joins the pieces as a caller would; a piece that breaks the contract shows as a wrong call. */
function joinToolCalls(events: readonly ModelEvent[]): Heard['toolCalls'] {
  const calls: { id: string; name: string; arguments: string }[] = [];
  for (const event of events) {
    if (event.type !== 'tool_call') continue;
    const call = calls[event.index];
    if (call === undefined) {
      const { id = 'no id', name = 'no name' } = event;
      calls[event.index] = { id, name, arguments: event.arguments };
    } else {
      if (event.id !== undefined || event.name !== undefined) call.name += ' said twice';
      call.arguments += event.arguments;
    }
  }
  return calls;
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
  const toolCalls = joinToolCalls(events);
  return { batches, text: textOf(events), usage, toolCalls, finishes, error };
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
