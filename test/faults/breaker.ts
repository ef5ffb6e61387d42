/** A vendor that keeps failing is left alone for a while, and asked again after it. */

import { scriptedAnswer, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { openStream, readStream, type SeenEvent, textOf } from '../hosts/gateway-client.ts';
import type { HostSettings } from '../hosts/host.ts';
import type { World } from '../hosts/world.ts';

/** Few failures and a short pause, so that a test sees both ends of it. */
export const TOUCHY: HostSettings = {
  UPSTREAM_MAX_RETRIES: '0',
  UPSTREAM_BREAKER_FAILURES: '3',
  UPSTREAM_BREAKER_OPEN_SECONDS: '2',
};

/** Requests after which the breaker of every process behind the address must be open. */
const MOST_FAILURES = 20;

const PATIENCE_MS = 15_000;

/** Adds the tests, for a host with {@link TOUCHY}. */
export function describeBreaker(world: () => World): void {
  const ask = async (name: string, prompt: string): Promise<readonly SeenEvent[]> => {
    const { host, receiver } = world();
    const body = { resumeUrl: receiver.urlFor(name), prompt, model: 'gpt-4o' };
    return (await readStream(await openStream(host.baseUrl, name, body))).events;
  };
  const codeOf = (events: readonly SeenEvent[]) =>
    (JSON.parse(events.at(-1)?.data ?? '{}') as { code?: string }).code;

  it('PROV-23: a vendor that keeps failing is not asked any more, and is asked again after a pause', async () => {
    const { vendor, receiver } = world();
    const failing = scriptedPrompt({ status: 500 }, 'The vendor is down.');
    let answered: string | undefined;
    let sent = 0;
    for (; sent < MOST_FAILURES && answered !== 'unavailable'; sent += 1) {
      answered = codeOf(await ask(`breaker-fail-${sent}`, failing));
    }
    expect(answered).toBe('unavailable');
    expect(vendor.countOf(failing)).toBeGreaterThanOrEqual(3);
    expect(vendor.countOf(failing)).toBeLessThan(sent);
    const { body } = await receiver.attempt(`breaker-fail-${sent - 1}`);
    expect(body).toMatchObject({ status: 'failed', error: { code: 'unavailable' } });

    const good = scriptedPrompt({ tokens: 5 }, 'The vendor is back.');
    const untilMs = Date.now() + PATIENCE_MS;
    let events: readonly SeenEvent[] = [];
    for (let at = 0; Date.now() < untilMs && textOf(events) !== scriptedAnswer(good); at += 1) {
      events = await ask(`breaker-good-${at}`, good);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(textOf(events)).toBe(scriptedAnswer(good));
  });
}
