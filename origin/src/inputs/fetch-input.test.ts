import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withInputFolder } from '../testing/input-folder.ts';
import { createByteBudget } from './byte-budget.ts';
import { createInputFetch, type InputFetch } from './fetch-input.ts';
import { openSpool } from './spool.ts';

const MIB = 1024 * 1024;
const OPEN = new AbortController().signal;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const answers = new Map<string, Answer>();
const seen: IncomingMessage[] = [];
let server: Server;
let port: number;
let base: string;
const fetches: InputFetch[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request);
    const answer = answers.get(request.url ?? '');
    if (answer === undefined) response.writeHead(404).end('no such file, and a secret');
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
  base = `http://127.0.0.1:${port}`;
});

afterAll(async () => {
  await Promise.all(fetches.map((fetch) => fetch.close()));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function makeFetch(...args: Parameters<typeof createInputFetch>): InputFetch {
  const fetch = createInputFetch(...args);
  fetches.push(fetch);
  return fetch;
}

const TIMES = { connectMs: 500, silenceMs: 150, totalMs: 600 };
const dev = () => makeFetch({ allowedHosts: [], allowLoopback: true }, TIMES);
const closed = () => makeFetch({ allowedHosts: [], allowLoopback: false }, TIMES);

/** Fetches into a folder, and says what came of it and how many files are left of a refusal. */
function fetchInto(fetch: InputFetch, url: string, maxBytes = MIB) {
  return withInputFolder(async ({ path, files }) => {
    const spool = await openSpool(path);
    try {
      const opened = await fetch.open(url, 'image', OPEN);
      try {
        const file = await spool.write(opened.bytes, [createByteBudget(maxBytes, 'image')]);
        return { code: 'taken', bytes: file.bytes, message: '' };
      } finally {
        opened.cancel();
      }
    } catch (thrown) {
      expect(await files()).toEqual([]);
      const { code, message } = thrown as { code: string; message: string };
      return { code, message, bytes: 0 };
    }
  });
}

describe('where inputs may be fetched from', () => {
  it.each([
    'https://10.0.0.1/x.png',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/x',
    'https://localhost/x',
    'https://metadata.google.internal/x',
    'https://2130706433/x',
    'http://example.com/x.png',
    'https://user:pw@example.com/x',
    'https://example.com\\@10.0.0.1/x',
    'https://exa mple.com/',
    'ftp://example.com/x',
    'file:///etc/passwd',
  ])('INPUT-4: %s is refused before anything is sent', async (url) => {
    const { code, message } = await fetchInto(closed(), url);
    expect(code).toBe('validation_failed');
    expect(message).toMatch(/^image /);
    expect(message).not.toContain('10.0.0.1');
  });

  it('INPUT-4: a name is refused when one of its addresses is private, at the time of the dial', async () => {
    const before = seen.length;
    let asked = 0;
    for (const addresses of [['127.0.0.1'], ['93.184.215.14', '10.0.0.1'], ['::ffff:127.0.0.1']]) {
      const fetch = makeFetch(
        { allowedHosts: [], allowLoopback: true },
        TIMES,
        (_name, _options, done) => {
          asked += 1;
          done(
            null,
            addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
          );
        },
      );
      const { code, message } = await fetchInto(fetch, `https://files.example.com:${port}/ok`);
      expect(code).toBe('validation_failed');
      expect(message).toContain('private address');
    }
    expect(asked).toBe(3);
    expect(seen).toHaveLength(before);
  });

  it('INPUT-4: a listed host may be private, and http; others may not be used then', async () => {
    answers.set('/ok', (_request, response) => response.end('hello'));
    const fetch = makeFetch({ allowedHosts: [`127.0.0.1:${port}`], allowLoopback: false }, TIMES);
    expect(await fetchInto(fetch, `${base}/ok`)).toMatchObject({ code: 'taken', bytes: 5 });
    expect((await fetchInto(fetch, 'https://example.com/ok')).code).toBe('validation_failed');
  });

  it('INPUT-5: no cookie, no credential and no compression is sent', async () => {
    answers.set('/ok', (_request, response) => {
      response.setHeader('set-cookie', 'a=b');
      response.end('hello');
    });
    const fetch = dev();
    await fetchInto(fetch, `${base}/ok`);
    await fetchInto(fetch, `${base}/ok`);
    const { headers = {} } = seen.at(-1) ?? {};
    expect(headers).toMatchObject({ 'accept-encoding': 'identity', 'user-agent': 'headwater' });
    expect(headers).not.toHaveProperty('cookie');
    expect(headers).not.toHaveProperty('authorization');
  });
});

describe('redirects', () => {
  const redirect = (path: string, location: string) =>
    answers.set(path, (_request, response) => response.writeHead(302, { location }).end('moved'));

  it('INPUT-4: five are followed, relative ones too, and a sixth is not', async () => {
    for (let hop = 0; hop < 7; hop += 1) redirect(`/hop${hop}`, `/hop${hop + 1}`);
    answers.set('/hop7', (_request, response) => response.end('there'));
    expect(await fetchInto(dev(), `${base}/hop2`)).toMatchObject({ code: 'taken', bytes: 5 });
    expect(await fetchInto(dev(), `${base}/hop1`)).toMatchObject({ code: 'upstream_failed' });
  });

  it.each([
    ['http://10.0.0.1/x', 'validation_failed'],
    ['https://169.254.169.254/x', 'validation_failed'],
    ['http://localhost.:1/', 'upstream_failed'],
    ['file:///etc/passwd', 'validation_failed'],
    ['//user:pw@example.com/', 'validation_failed'],
    ['/\\evil.example/', 'upstream_failed'],
    ['http://[', 'upstream_failed'],
  ])('INPUT-4: one to %s ends there', async (location, code) => {
    redirect('/away', location);
    expect((await fetchInto(dev(), `${base}/away`)).code).toBe(code);
  });
});

describe('answers', () => {
  it('INPUT-5: an HTTP error is `upstream_failed` that names the status and nothing else', async () => {
    const { code, message } = await fetchInto(dev(), `${base}/missing?signature=s3cret`);
    expect(code).toBe('upstream_failed');
    expect(message).toBe('image could not be fetched: its host answered with status 404.');
  });

  it('INPUT-5: a host that cannot be reached, or breaks off, is `upstream_failed`', async () => {
    answers.set('/cut', (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => response.destroy());
    });
    for (const url of ['http://127.0.0.1:1/x', `${base}/cut`]) {
      expect(await fetchInto(dev(), url)).toMatchObject({ code: 'upstream_failed' });
    }
  });

  it('INPUT-5: silence, and a trickle without end, are `upstream_timeout`', async () => {
    answers.set('/silent', () => undefined);
    answers.set('/stalls', (_request, response) => {
      response.writeHead(200);
      response.write('x');
    });
    answers.set('/trickles', (_request, response) => {
      const timer = setInterval(() => response.write('x'), 30);
      response.on('close', () => clearInterval(timer));
    });
    for (const path of ['/silent', '/stalls', '/trickles']) {
      const { code } = await fetchInto(dev(), base + path);
      expect(code, path).toBe('upstream_timeout');
    }
  });

  it('INPUT-5: bytes are counted while they come, whatever was announced', async () => {
    let sent = 0;
    answers.set('/endless', (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) sent += 64 * 1024;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    expect((await fetchInto(dev(), `${base}/endless`)).code).toBe('payload_too_large');
    expect(sent).toBeLessThan(30 * MIB);
  });

  it('INPUT-5: an answer that is compressed none the less counts by what it decodes to', async () => {
    const encode = (content: Buffer): Answer => {
      const bytes = gzipSync(content);
      return (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(bytes);
      };
    };
    answers.set('/gzip', encode(Buffer.from('hello')));
    answers.set('/bomb', encode(Buffer.alloc(200 * MIB)));
    answers.set('/broken', (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end('no gzip');
    });
    answers.set('/odd', (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'zip' });
      response.end('x');
    });
    expect(await fetchInto(dev(), `${base}/gzip`)).toMatchObject({ code: 'taken', bytes: 5 });
    expect((await fetchInto(dev(), `${base}/bomb`)).code).toBe('payload_too_large');
    expect((await fetchInto(dev(), `${base}/broken`)).code).toBe('upstream_failed');
    expect((await fetchInto(dev(), `${base}/odd`)).code).toBe('upstream_failed');
  });
});
