/** What goes wrong upstream shows: to the reader, in the state, and in the callback. */

import {
  scriptedPrompt,
  scriptedSent,
  type VendorDirective,
} from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { openStream, readStream, textOf } from '../hosts/gateway-client.ts';
import type { World } from '../hosts/world.ts';

const FAULTS: [string, VendorDirective, string][] = [
  ['401', { status: 401 }, 'unavailable'],
  ['429 with Retry-After', { status: 429, retryAfter: '7' }, 'unavailable'],
  ['500', { status: 500 }, 'upstream_failed'],
  ['a line cut between events', { tokens: 20, fault: 'cut' }, 'upstream_failed'],
  ['a line cut in mid-event', { tokens: 20, fault: 'cut-mid-event' }, 'upstream_failed'],
  ['an error event', { tokens: 20, fault: 'error-event' }, ''],
  ['malformed JSON', { tokens: 20, fault: 'malformed' }, 'upstream_failed'],
  ['a clean end without a finish', { tokens: 20, fault: 'no-finish' }, 'upstream_failed'],
  ['an empty body', { fault: 'empty' }, 'upstream_failed'],
];

/** Adds the tests. */
export function describeFaults(world: () => World): void {
  for (const model of ['gpt-4o', 'claude-sonnet-5-5']) {
    for (const [what, directive, code] of FAULTS) {
      it(`STREAM-11, STREAM-12: ${model}: ${what} ends in an error event and a callback that says so`, async () => {
        const { host, receiver } = world();
        const name = `fault-${model}-${what}`;
        const prompt = scriptedPrompt({ delayMs: 2, ...directive });
        const streamUrl = await openStream(host.baseUrl, `${model}${what}`, {
          resumeUrl: receiver.urlFor(name),
          prompt,
          model,
        });
        const { events } = await readStream(streamUrl);
        const last = events.at(-1);
        expect(last?.event).toBe('error');
        const error = JSON.parse(last?.data ?? '{}') as { code: string; message: string };
        if (code !== '') expect(error.code).toBe(code);
        expect(error.message).not.toMatch(/canary|stack|node_modules/);
        const said = textOf(events.filter(({ event }) => event === undefined));
        expect(said).toBe(scriptedSent(prompt));
        const { body } = await receiver.attempt(name);
        expect(body).toMatchObject({ status: 'failed', answer: said, error });
        expect(body['output_tokens']).toBeGreaterThanOrEqual(said === '' ? 0 : 1);
        const again = await readStream(streamUrl, { lastEventId: last?.id ?? '' });
        expect(again.status).toBe(204);
      });
    }
  }
}
