import { rm } from 'node:fs/promises';
import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import {
  FIXED_ANSWER,
  scriptedAnswer,
  scriptedPrompt,
} from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { startCallbackReceiver } from '../hosts/callback-receiver.ts';
import { makeEdgePlace, startEdgeHost } from '../hosts/edge-host.ts';
import {
  openStream,
  readStream,
  sawEnd,
  stateOf,
  stateOnce,
  textOf,
} from '../hosts/gateway-client.ts';
import { worldSettings } from '../hosts/world.ts';

it('STREAM-16, OUTBOX-7: workerd is killed in mid-answer: every session ends clearly and calls home', async () => {
  const vendor = await startScriptedVendor();
  const receiver = await startCallbackReceiver();
  const settings = { ...worldSettings(vendor), STREAM_TTL_SECONDS: '30' };
  const place = await makeEdgePlace();
  let host = await startEdgeHost(settings, place);
  try {
    const open = (name: string, prompt: string, answers = [{ status: 503 }]) =>
      openStream(host.baseUrl, name, { resumeUrl: receiver.urlFor(name, answers), prompt });
    const longPrompt = scriptedPrompt({ tokens: 2000, delayMs: 20 });
    const live = await open('live', longPrompt);
    const done = await open('done', 'Tell me.', Array(4).fill({ status: 503 }));
    const waiting = await open('waiting', 'Tell me.');
    await readStream(done, { until: sawEnd });
    await receiver.attempt('done');
    const partly = await readStream(live, { until: (events) => events.length >= 10 });
    await stateOnce(live, ({ lastEventSeq }) => Number(lastEventSeq) > 20);
    const seen = partly.events.slice(0, 10);

    await host.kill();
    host = await startEdgeHost(settings, place);

    const rest = await readStream(live, { lastEventId: seen.at(-1)?.id ?? '' });
    expect(rest.events.at(-1)?.event).toBe('error');
    const text = textOf([...seen, ...rest.events.filter(({ event }) => event === undefined)]);
    expect(scriptedAnswer(longPrompt).startsWith(text)).toBe(true);
    expect((await stateOf(live))['text']).toBe(text);
    const told = await receiver.attempt('live', 1);
    expect(told.body).toMatchObject({ status: 'failed', answer: text });

    expect(textOf((await readStream(done)).events)).toBe(FIXED_ANSWER);
    const again = await receiver.attempt('done', 4);
    expect(again.body).toMatchObject({ status: 'completed', answer: FIXED_ANSWER });

    expect(textOf((await readStream(waiting)).events)).toBe(FIXED_ANSWER);
    expect((await receiver.attempt('waiting', 1)).body['status']).toBe('completed');
  } finally {
    await host.close();
    await receiver.close();
    await vendor.close();
    await rm(place.folder, { recursive: true, force: true });
  }
}, 120_000);
