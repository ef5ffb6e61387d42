/** The sixteen ways a vendor fails (failoverbench's), and what each must look like downstream. */

import {
  scriptedAnswer,
  scriptedPrompt,
  scriptedSent,
  type VendorDirective,
} from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { openStream, readStream, stateOf, textOf } from '../hosts/gateway-client.ts';
import type { World } from '../hosts/world.ts';

/** One fault. */
interface Fault {
  readonly what: string;
  readonly directive: VendorDirective;
  /** The code it ends in; absent: the answer is whole. */
  readonly code?: string;
  /** Requests to the vendor; absent: not looked at. */
  readonly requests?: number;
}

const FAULTS: readonly Fault[] = [
  { what: 'a refused connection', directive: { fault: 'refuse' }, code: 'upstream_failed' },
  { what: '401', directive: { status: 401 }, code: 'unavailable', requests: 1 },
  {
    what: '429 with a short Retry-After',
    directive: { status: 429, retryAfter: '1', failTimes: 1 },
    requests: 2,
  },
  {
    what: '429 with a long Retry-After',
    directive: { status: 429, retryAfter: '30' },
    code: 'unavailable',
    requests: 1,
  },
  { what: '500, then an answer', directive: { status: 500, failTimes: 1 }, requests: 2 },
  { what: '500 for ever', directive: { status: 500 }, code: 'upstream_failed', requests: 3 },
  { what: 'slow headers', directive: { firstDelayMs: 8_000 }, code: 'upstream_timeout' },
  {
    what: 'a stall before the first token',
    directive: { tokens: 20, fault: 'stall', afterTokens: 0 },
    code: 'upstream_timeout',
    requests: 1,
  },
  {
    what: 'a stall after it',
    directive: { tokens: 20, fault: 'stall' },
    code: 'upstream_timeout',
    requests: 1,
  },
  {
    what: 'an answer without an end',
    directive: { tokens: 200, delayMs: 60 },
    code: 'upstream_timeout',
    requests: 1,
  },
  {
    what: 'a line cut in mid-event',
    directive: { tokens: 20, fault: 'destroy-mid-event' },
    code: 'upstream_failed',
    requests: 1,
  },
  {
    what: 'a close in mid-event',
    directive: { tokens: 20, fault: 'cut-mid-event' },
    code: 'upstream_failed',
    requests: 1,
  },
  {
    what: 'a line cut between events',
    directive: { tokens: 20, fault: 'cut' },
    code: 'upstream_failed',
    requests: 1,
  },
  {
    what: 'malformed JSON',
    directive: { tokens: 20, fault: 'malformed' },
    code: 'upstream_failed',
    requests: 1,
  },
  { what: 'an error event', directive: { tokens: 20, fault: 'error-event' }, code: '' },
  { what: 'an answer of nothing', directive: { fault: 'no-text' }, code: 'upstream_failed' },
  { what: 'an empty body', directive: { fault: 'empty' }, code: 'upstream_failed' },
  {
    what: 'a clean end without a finish',
    directive: { tokens: 20, fault: 'no-finish' },
    code: 'upstream_failed',
    requests: 1,
  },
  { what: 'a finish that comes twice', directive: { tokens: 20, fault: 'double-finish' } },
  { what: 'one event of 300 KB', directive: { hugeLength: 300_000 } },
  {
    what: 'one event over 1 MiB',
    directive: { hugeLength: 1_200_000 },
    code: 'upstream_failed',
  },
  { what: 'no usage', directive: { tokens: 20, fault: 'no-usage' } },
];

/** Adds the tests; they run side by side. */
export function describeUpstreamFaults(world: () => World): void {
  for (const model of ['gpt-4o', 'claude-sonnet-5-5']) {
    for (const fault of FAULTS) {
      const outcome = fault.code === undefined ? 'the whole answer' : 'an error that says so';
      it.concurrent(`STREAM-11, STREAM-12, PROV-22: ${model}: ${fault.what} ends in ${outcome}`, () =>
        checkFault(world(), model, fault));
    }
  }
}

async function checkFault(
  { host, receiver, vendor }: World,
  model: string,
  { what, directive, code, requests }: Fault,
): Promise<void> {
  const name = `fault-${model}-${what}`;
  const prompt = scriptedPrompt({ delayMs: 2, ...directive }, `Tell me, ${name}.`);
  const streamUrl = await openStream(host.baseUrl, name, {
    resumeUrl: receiver.urlFor(name),
    prompt,
    model,
  });
  const { events } = await readStream(streamUrl);
  const { body } = await receiver.attempt(name);
  if (requests !== undefined) expect(vendor.countOf(prompt)).toBe(requests);
  const said = textOf(events);
  expect(body['answer']).toBe(said);
  const last = events.at(-1);
  if (code === undefined) {
    expect(last?.data).toBe('[DONE]');
    expect(said).toBe(scriptedAnswer(prompt));
    expect(events.filter(({ data }) => data === '[DONE]')).toHaveLength(1);
    expect(body).toMatchObject({ status: 'completed' });
    if (directive.fault === 'no-usage') expect(body['usageSource']).toBe('tokenizer');
    expect(body['output_tokens']).toBeGreaterThanOrEqual(1);
  } else {
    expect(last?.event).toBe('error');
    const error = JSON.parse(last?.data ?? '{}') as { code: string; message: string };
    if (code !== '') expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/canary|stack|node_modules/);
    expect(scriptedAnswer(prompt).startsWith(said)).toBe(true);
    if (directive.fault !== undefined) expect(said).toBe(scriptedSent(prompt));
    expect(body).toMatchObject({ status: 'failed', error: { code: error.code } });
    expect(body['output_tokens']).toBeGreaterThanOrEqual(said === '' ? 0 : 1);
  }
  expect((await stateOf(streamUrl))['status']).toBe(body['status']);
  const again = await readStream(streamUrl, { lastEventId: last?.id ?? '' });
  expect(again.status).toBe(204);
}
