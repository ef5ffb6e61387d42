import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createVirtualClock } from '@headwater/shared/testing/virtual-clock';
import { afterAll, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createSocketPulse, PONG_TIMEOUT_MS } from './socket-pulse.ts';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });

afterAll(async () => {
  server.close();
  await once(server, 'close');
});

async function connect(autoPong: boolean): Promise<{ socket: WebSocket; client: WebSocket }> {
  if (server.address() === null) await once(server, 'listening');
  const arrived = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { autoPong });
  client.on('error', () => undefined);
  const [socket] = await arrived;
  if (client.readyState !== client.OPEN) await once(client, 'open');
  return { socket, client };
}

it('SOCKET-9: a reader that answers is pinged every 15 s and kept', async () => {
  const clock = createVirtualClock();
  const pulse = createSocketPulse(clock.nowMs);
  const { socket, client } = await connect(true);
  pulse.watch(socket);
  for (let round = 0; round < 8; round += 1) {
    const pong = once(socket, 'pong');
    await clock.advance(15_000);
    pulse.beat();
    await pong;
  }
  expect(client.readyState).toBe(client.OPEN);
  client.terminate();
});

it('SOCKET-9: a reader whose answer does not come for 30 s is ended', async () => {
  const clock = createVirtualClock();
  const pulse = createSocketPulse(clock.nowMs);
  const { socket, client } = await connect(false);
  pulse.watch(socket);
  const pinged = once(client, 'ping');
  await clock.advance(15_000);
  pulse.beat();
  await pinged;
  await clock.advance(PONG_TIMEOUT_MS - 1);
  pulse.beat();
  expect(socket.readyState).toBe(socket.OPEN);
  const closed = once(socket, 'close');
  await clock.advance(1);
  pulse.beat();
  expect((await closed)[0]).toBe(1006);
});
