import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { scriptedAnswer, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startCallbackReceiver } from '../hosts/callback-receiver.ts';
import { startEdgeHost } from '../hosts/edge-host.ts';
import { openStream } from '../hosts/gateway-client.ts';
import type { HostSettings, RunningHost } from '../hosts/host.ts';
import { startOriginHost } from '../hosts/origin-host.ts';
import { readSocket, type SocketEvent, socketText } from '../hosts/socket-client.ts';
import { worldSettings } from '../hosts/world.ts';

/** About 50 bytes each: more than the 7 MB that wrangler's proxy and the kernel take for a reader. */
const TOKENS = 200_000;

const HOSTS: [string, (settings: HostSettings) => Promise<RunningHost>][] = [
  ['edge on workerd', startEdgeHost],
  ['origin alone', startOriginHost],
];

it.each(HOSTS)(
  'SOCKET-8: %s cuts a socket that takes nothing with 4503; it resumes, and has every byte',
  async (_name, startHost) => {
    const vendor = await startScriptedVendor();
    const receiver = await startCallbackReceiver();
    const settings = { ...worldSettings(vendor), MAX_BUFFERED_BYTES: String(128 * 1024) };
    const host = await startHost(settings);
    try {
      const prompt = scriptedPrompt({ tokens: TOKENS });
      const streamUrl = await openStream(host.baseUrl, 'slow', {
        resumeUrl: receiver.urlFor('slow'),
        prompt,
        max_tokens: TOKENS,
      });
      const socket = new WebSocket(streamUrl.replace('http', 'ws'), { perMessageDeflate: false });
      const events: SocketEvent[] = [];
      socket.on('message', (message) => {
        events.push(JSON.parse(String(message)) as SocketEvent);
        if (events.length === 5) socket.pause();
      });
      const closed = new Promise<number>((resolve) => socket.on('close', resolve));
      // By its callback, as the state would bring a megabyte of text with every look.
      await vi.waitFor(() => expect(receiver.received('slow')).not.toEqual([]), 120_000);
      socket.resume();
      // Without a code where the origin has waited for too long before this reader woke up.
      expect([4503, 1006]).toContain(await closed);
      // On a busy machine it may be too slow once more: it comes back as often as it must.
      let code = 0;
      while (code !== 1000) {
        const last = events.at(-1)?.id ?? '';
        const rest = await readSocket(streamUrl, { query: { last_event_id: last } });
        expect([1000, 4503, 1006]).toContain(rest.code);
        code = rest.code;
        for (const event of rest.events) if (event.id !== undefined) events.push(event);
      }
      expect(socketText(events)).toBe(scriptedAnswer(prompt));
    } finally {
      await host.close();
      await receiver.close();
      await vendor.close();
    }
  },
  240_000,
);
