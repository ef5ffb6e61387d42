import { env } from 'cloudflare:workers';
import { expect, it, vi } from 'vitest';
import worker from '../index.ts';

const context = { waitUntil: () => undefined, passThroughOnException: () => undefined };

it('HOST-2, SET-3: a Worker with unusable settings answers 503, and its log alone names them', async () => {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => lines.push(line));
  const bad = { ...env, JWT_SECRET: 'short-canary', STREAM_TTL_SECONDS: 'soon' };
  const request = new Request('https://edge.example/health', { headers: { 'x-request-id': 'r1' } });
  const response = await worker.fetch(request, bad as never, context as never);
  log.mockRestore();
  expect(response.status).toBe(503);
  expect(response.headers.get('x-request-id')).toBe('r1');
  const body = await response.text();
  expect(JSON.parse(body)).toMatchObject({ error: { code: 'unavailable', requestId: 'r1' } });
  expect(body).not.toMatch(/JWT_SECRET|canary/);
  expect(lines.join('\n')).toMatch(/JWT_SECRET[\s\S]*STREAM_TTL_SECONDS/);
  expect(lines.join('\n')).not.toContain('canary');
});

it('HOST-1: an answer has the request id of its caller, and one log line has it too', async () => {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => lines.push(line));
  const request = new Request('https://edge.example/nothing?secret=1', {
    headers: { 'x-request-id': 'r2' },
  });
  const response = await worker.fetch(request, env as never, context as never);
  log.mockRestore();
  expect(response.status).toBe(404);
  expect(response.headers.get('x-request-id')).toBe('r2');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ requestId: 'r2', path: '/nothing', status: 404, msg: 'request' }),
  ]);
});
