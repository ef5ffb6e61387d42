/** A host is killed in mid-answer and started again over what it has kept. */

import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import {
  FIXED_ANSWER,
  scriptedAnswer,
  scriptedPrompt,
} from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { startCallbackReceiver } from '../hosts/callback-receiver.ts';
import {
  openStream,
  readStream,
  sawEnd,
  stateOf,
  stateOnce,
  textOf,
} from '../hosts/gateway-client.ts';
import type { HostSettings, RunningHost } from '../hosts/host.ts';
import { readPatiently } from '../hosts/patient-reader.ts';
import { worldSettings } from '../hosts/world.ts';

/** Declares the tests for a host that starts again at the same place. */
export function describeRestart(
  name: string,
  start: (settings: HostSettings) => Promise<RunningHost>,
): void {
  it(`STREAM-16, STREAM-20, OUTBOX-7: ${name} is killed in mid-answer: every session ends clearly and calls home`, async () => {
    const vendor = await startScriptedVendor();
    const receiver = await startCallbackReceiver();
    const settings = { ...worldSettings(vendor), STREAM_TTL_SECONDS: '30' };
    let host = await start(settings);
    try {
      const open = (subject: string, prompt: string, answers = [{ status: 503 }]) =>
        openStream(host.baseUrl, subject, {
          resumeUrl: receiver.urlFor(subject, answers),
          prompt,
        });
      const longPrompt = scriptedPrompt({ tokens: 300, delayMs: 10 });
      const live = await open('live', longPrompt, []);
      const done = await open('done', 'Tell me.', Array(4).fill({ status: 503 }));
      const waiting = await open('waiting', 'Tell me.');
      await readStream(done, { until: sawEnd });
      await receiver.attempt('done');
      const faithful = readPatiently(live);
      const partly = await readStream(live, { until: (events) => events.length >= 10 });
      await stateOnce(live, ({ lastEventSeq }) => Number(lastEventSeq) > 20);
      const seen = partly.events.slice(0, 10);

      await host.kill();
      host = await start(settings);

      const rest = await readStream(live, { lastEventId: seen.at(-1)?.id ?? '' });
      expect(rest.events[0]).toMatchObject({ event: 'restart' });
      expect(JSON.parse(rest.events[0]?.data ?? '')).toMatchObject({ reason: 'unavailable' });
      const answer = scriptedAnswer(longPrompt);
      expect(textOf(rest.events)).toBe(answer);
      expect(await faithful).toMatchObject({ text: answer, restarts: 1, breaches: [] });
      expect(await stateOf(live)).toMatchObject({ status: 'completed', text: answer });
      expect((await receiver.attempt('live')).body).toMatchObject({ status: 'completed', answer });
      expect(new Set(receiver.received('live').map(({ raw }) => raw)).size).toBe(1);

      expect(textOf((await readStream(done)).events)).toBe(FIXED_ANSWER);
      const again = await receiver.attempt('done', 4);
      expect(again.body).toMatchObject({ status: 'completed', answer: FIXED_ANSWER });

      expect(textOf((await readStream(waiting)).events)).toBe(FIXED_ANSWER);
      expect((await receiver.attempt('waiting', 1)).body['status']).toBe('completed');
    } finally {
      await host.close();
      await receiver.close();
      await vendor.close();
    }
  }, 120_000);
}
