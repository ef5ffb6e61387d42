import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { assertPortFree, describePortFault } from './port-check.ts';

test('a taken port is told in one sentence with the setting to change', () => {
  expect(describePortFault(8787, 'EDGE_PORT', 'EADDRINUSE')).toBe(
    'Port 8787 is already in use: set EDGE_PORT to a free port.',
  );
});

test('a port that may not be used says why', () => {
  expect(describePortFault(80, 'ORIGIN_PORT', 'EACCES')).toBe(
    'Port 80 cannot be used (EACCES): set ORIGIN_PORT to a free port.',
  );
});

test('a port is free until something listens on it, and after', async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  await expect(assertPortFree(port, 'EDGE_PORT')).rejects.toThrow(`Port ${port} is already in use`);
  await new Promise((resolve) => server.close(resolve));
  await expect(assertPortFree(port, 'EDGE_PORT')).resolves.toBeUndefined();
});
