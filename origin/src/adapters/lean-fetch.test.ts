import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLeanFetch } from './lean-fetch.ts';

const servers: Server[] = [];
const leanFetch = createLeanFetch();

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function readAll(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  let text = '';
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done || value === undefined) return text;
    text += Buffer.from(value).toString('latin1');
  }
}

describe('the lean fetch', () => {
  it('PROV-29: sends method, headers and body, and gives status, headers and the body as it comes', async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      request.setEncoding('utf8');
      request.on('data', (body) => seen.push([request.method, request.url, request.headers, body]));
      request.on('end', () => {
        response.writeHead(201, { 'x-one': 'a', 'set-cookie': ['b=1', 'c=2'] });
        response.write('first ');
        setTimeout(() => response.end('second'), 20);
      });
    });
    const response = await leanFetch(`${url}/v1/chat?x=1`, {
      method: 'POST',
      headers: new Headers({ authorization: 'Bearer k' }),
      body: '{"a":"é"}',
    });
    expect(response).toMatchObject({ status: 201, ok: true });
    expect(response.headers.get('x-one')).toBe('a');
    expect(response.headers.getSetCookie()).toEqual(['b=1', 'c=2']);
    expect(await readAll(response)).toBe('first second');
    expect(seen).toMatchObject([
      ['POST', '/v1/chat?x=1', { authorization: 'Bearer k', 'content-length': '10' }, '{"a":"é"}'],
    ]);
  });

  it.each([
    ['Headers', new Headers({ 'X-One': 'a', 'x-two': 'b' })],
    ['an object', { 'X-One': 'a', 'x-two': 'b' }],
    [
      'pairs',
      [
        ['X-One', 'a'],
        ['x-two', 'b'],
      ] as [string, string][],
    ],
  ])('PROV-29: takes headers as %s', async (_shape, headers) => {
    let seen: object = {};
    const url = await serve((request, response) => {
      seen = request.headers;
      response.end();
    });
    await readAll(await leanFetch(url, { headers }));
    expect(seen).toMatchObject({ 'x-one': 'a', 'x-two': 'b' });
  });

  it('PROV-29: joins headers of one name, and sends none that would begin another line', async () => {
    let seen: object = {};
    const url = await serve((request, response) => {
      seen = request.headers;
      response.end();
    });
    const twice: [string, string][] = [
      ['x-one', 'a'],
      ['X-One', 'b'],
    ];
    await readAll(await leanFetch(url, { headers: twice }));
    expect(seen).toMatchObject({ 'x-one': 'a, b' });
    const broken = leanFetch(url, { headers: { 'x-one': 'a\r\nx-two: b' } });
    await expect(broken).rejects.toThrow();
  });

  it('PROV-29: a refusal can be read as text and as JSON, and a redirect is not followed', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end('{"error":{"code":"x"}}');
    });
    const first = await leanFetch(url);
    expect(first).toMatchObject({ status: 302, ok: false });
    expect(await first.text()).toBe('{"error":{"code":"x"}}');
    expect(await (await leanFetch(url)).json()).toEqual({ error: { code: 'x' } });
  });

  it('PROV-29: a body that nobody reads fast pauses the socket, and arrives whole', async () => {
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const url = await serve((_request, response) => {
      const fill = (): void => {
        while (written < 64 * 1024 * 1024) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', fill);
        }
        response.end();
      };
      fill();
    });
    const response = await leanFetch(url);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(written).toBeLessThan(32 * 1024 * 1024);
    expect((await readAll(response)).length).toBe(64 * 1024 * 1024);
  });

  it('PROV-9: an abort before the headers, or in mid-body, rejects and closes the connection', async () => {
    let closed = 0;
    const url = await serve((request, response) => {
      request.socket.on('close', () => {
        closed += 1;
      });
      if (request.url === '/body') response.write('some');
    });
    const early = new AbortController();
    const pending = leanFetch(url, { signal: early.signal });
    setTimeout(() => early.abort(), 30);
    await expect(pending).rejects.toThrow(/abort/i);

    const late = new AbortController();
    const response = await leanFetch(`${url}/body`, { signal: late.signal });
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('some');
    const next = reader?.read();
    late.abort();
    await expect(next).rejects.toThrow(/abort/i);
    await expect.poll(() => closed).toBe(2);
    await expect(leanFetch(url, { signal: late.signal })).rejects.toThrow(/abort/i);
  });

  it('PROV-9: a cancelled body closes the connection', async () => {
    let closed = false;
    const url = await serve((request, response) => {
      request.socket.on('close', () => {
        closed = true;
      });
      response.write('some');
    });
    const response = await leanFetch(url);
    await response.body?.cancel();
    await expect.poll(() => closed).toBe(true);
  });

  it('PROV-6: what came before a cut is read first, then the cut shows', async () => {
    const url = await serve((request, response) => {
      response.write('some');
      setTimeout(() => request.socket.destroy(), 20);
    });
    const reader = (await leanFetch(url)).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('some');
    await expect(reader?.read()).rejects.toThrow();
    await expect(leanFetch('http://127.0.0.1:1/')).rejects.toThrow(/ECONNREFUSED/);
  });
});
