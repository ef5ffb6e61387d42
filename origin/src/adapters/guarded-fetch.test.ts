import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createGuardedFetch } from './guarded-fetch.ts';

let server: Server;
let port: number;
const seen: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request.url ?? '');
    if (request.url === '/moved') response.writeHead(302, { location: '/elsewhere' });
    response.end('hello');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const INIT: RequestInit = { method: 'POST', body: '{}', redirect: 'manual' };

it('OUTBOX-9, CALLBACK-6: a name that leads to a private address is refused before anything is sent', async () => {
  const guarded = createGuardedFetch({ allowedHosts: [], allowLoopback: false });
  const before = seen.length;
  await expect(guarded(`http://localhost:${port}/x`, INIT)).rejects.toThrow();
  expect(seen).toHaveLength(before);
});

it('CALLBACK-5: in DEV_MODE `localhost` is reached', async () => {
  const guarded = createGuardedFetch({ allowedHosts: [], allowLoopback: true });
  const response = await guarded(`http://localhost:${port}/x?a=%20b`, INIT);
  expect(await response.text()).toBe('hello');
  expect(seen.at(-1)).toBe('/x?a=%20b');
});

it('CALLBACK-2: a listed host may be private', async () => {
  const listed = createGuardedFetch({ allowedHosts: ['localhost'], allowLoopback: false });
  expect((await listed(`http://localhost:${port}/x`, INIT)).status).toBe(200);
  const other = createGuardedFetch({ allowedHosts: ['n8n.example'], allowLoopback: false });
  await expect(other(`http://localhost:${port}/x`, INIT)).rejects.toThrow();
});

it('OUTBOX-6: a redirect comes back as it is', async () => {
  const guarded = createGuardedFetch({ allowedHosts: [], allowLoopback: true });
  const response = await guarded(`http://127.0.0.1:${port}/moved`, INIT);
  expect(response.status).toBe(302);
  expect(seen.at(-1)).toBe('/moved');
  await response.text();
});

it('a signal that is aborted stops the request', async () => {
  const guarded = createGuardedFetch({ allowedHosts: [], allowLoopback: true });
  const signal = AbortSignal.abort();
  await expect(guarded(`http://127.0.0.1:${port}/x`, { ...INIT, signal })).rejects.toThrow();
});
