/** What the host printed while all of this went on. */

import { FIXED_ANSWER, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import {
  callerToken,
  openStream,
  postInit,
  readStream,
  TEST_SECRET,
} from '../hosts/gateway-client.ts';
import { VENDOR_KEYS, type World } from '../hosts/world.ts';

/** Adds the tests; they come last, and look at everything that was printed before. */
export function describeLogLines(world: () => World): void {
  it('LOG-3: no token, key, prompt, answer or callback query is in the log', async () => {
    const { host, receiver } = world();
    const subject = 'log-reader';
    const canary = 'canary-in-the-prompt';
    const token = await callerToken(subject);
    const resumeUrl = `${receiver.urlFor('logged', [{ status: 503 }])}?signature=canary-signature`;
    for (const fault of [undefined, 'malformed', 'error-event'] as const) {
      const prompt = scriptedPrompt(
        { text: `canary-answer ${canary}`, ...(fault === undefined ? {} : { fault }) },
        canary,
      );
      const streamUrl = await openStream(host.baseUrl, subject, { resumeUrl, prompt });
      await readStream(streamUrl);
      expect(host.logs()).not.toContain(new URL(streamUrl).searchParams.get('access_token'));
    }
    await postInit(host.baseUrl, `{"prompt":"${canary}",`, { authorization: `Bearer ${token}` });
    await postInit(host.baseUrl, { prompt: canary, n8nToken: `${token}x` });
    await receiver.attempt('logged', 1);
    const logs = host.logs();
    for (const secret of [canary, 'canary', token, TEST_SECRET, FIXED_ANSWER.trim().slice(0, 12)]) {
      expect(logs).not.toContain(secret);
    }
    for (const key of Object.values(VENDOR_KEYS)) expect(logs).not.toContain(key);
  });

  it('LOG-4: lines are JSON with request and stream ids', async () => {
    const { host, receiver } = world();
    const streamUrl = await openStream(host.baseUrl, 'liner', {
      resumeUrl: receiver.urlFor('lines'),
      prompt: 'Tell me.',
    });
    await readStream(streamUrl);
    await receiver.attempt('lines');
    const streamId = new URL(streamUrl).pathname.split('/')[2];
    const lines = () =>
      host
        .logs()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    await expect
      .poll(() =>
        lines()
          .filter((line) => line['streamId'] === streamId)
          .map((line) => line['msg']),
      )
      .toEqual(expect.arrayContaining(['stream opened', 'stream ended']));
    expect(
      lines()
        .filter((line) => line['msg'] === 'request')
        .every((line) => line['requestId']),
    ).toBe(true);
  });
}
