/** A model that thinks for long: the line is kept alive. */

import { FIXED_ANSWER, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { beforeAll, expect, it } from 'vitest';
import { openStream, type ReadResult, readStream, textOf } from '../hosts/gateway-client.ts';
import type { World } from '../hosts/world.ts';

/** Silence of the model, in ms: past the 15 s after which a comment is due, and its 5 s of grace. */
const SILENCE_MS = 21_000;

/**
 * Adds the test. Its stream is opened before the other suites run and looked at after them, so that
 * the silence costs little time of its own.
 */
export function describeSilence(world: () => World): { check(): void } {
  let reading: Promise<ReadResult> | undefined;
  beforeAll(async () => {
    const { host, receiver } = world();
    const streamUrl = await openStream(host.baseUrl, 'silence', {
      resumeUrl: receiver.urlFor('silence'),
      prompt: scriptedPrompt({ firstDelayMs: SILENCE_MS }),
    });
    reading = readStream(streamUrl);
  });
  return {
    check() {
      it('FRAME-1: after 15 s of silence a comment is sent, and the answer still arrives whole', async () => {
        const read = await reading;
        expect(read?.raw).toMatch(/^retry: \d+\n\n(: [^\n]*\n\n)+id: /);
        expect(textOf(read?.events ?? [])).toBe(FIXED_ANSWER);
      });
    },
  };
}
