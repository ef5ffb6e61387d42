/** The black-box suite of the text services: it knows an address, and runs alike on every host. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeActing } from './acting.ts';
import { describeChatting } from './chatting.ts';
import { describeFinding } from './finding.ts';
import { describeGenerating } from './generating.ts';
import { describeScripting } from './scripting.ts';
import type { StartWordHost } from './word-hosts.ts';
import { startWordWorld, type WordWorld } from './word-world.ts';

/** Describes the whole suite for a host. */
export function describeWords(name: string, startHost: StartWordHost): void {
  describe(`text services: ${name}`, () => {
    let running: WordWorld | undefined;
    const world = (): WordWorld => {
      if (running === undefined) throw new Error('the host is not running');
      return running;
    };
    beforeAll(async () => {
      running = await startWordWorld(startHost);
    }, 120_000);
    afterAll(() => running?.close(), 30_000);

    describe('generating', () => describeGenerating(world));
    describe('chatting', () => describeChatting(world));
    describe('finding', () => describeFinding(world));
    describe('scripting', () => describeScripting(world));
    describe('acting', () => describeActing(world));

    it('LOG-1: the log holds nothing that was asked, said or kept', async () => {
      const logs = world().host.logs();
      for (const secret of [
        'Strelsau',
        'Otter',
        'Two sisters',
        'Eleven boats',
        'dry and patient',
      ]) {
        expect(logs).not.toContain(secret);
      }
      expect(logs).not.toContain('access_token=');
    });
  });
}
