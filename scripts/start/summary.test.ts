import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeEngine, describeProvider, formatCurlLine, formatSummary } from './summary.ts';

const HEALTH = {
  version: '0.1.0',
  defaultModel: 'echo',
  providers: {
    openai: { live: true, setting: 'OPENAI_API_KEY' },
    anthropic: { live: false, setting: 'ANTHROPIC_API_KEY' },
    echo: { live: true, simulated: true },
  },
  engines: {
    'content-generation': { live: true },
    ocr: { live: false, missing: 'No engine for ocr is installed here.' },
  },
};

test('a provider is live, simulated or off, with the setting that would make it real', () => {
  expect(describeProvider({ live: true, setting: 'A' })).toBe('live');
  expect(describeProvider({ live: false, setting: 'A' })).toBe('off: set A to make it real');
  expect(describeProvider({ live: true, simulated: true })).toBe('simulated, built in');
  expect(describeProvider({ live: false, simulated: true, setting: 'A' })).toBe(
    'simulated: set A to make it real',
  );
});

test('the summary shows both URLs, every provider and a curl against the edge', () => {
  const text = formatSummary({
    edgeUrl: 'http://127.0.0.1:8787',
    originUrl: 'http://127.0.0.1:8000',
    health: HEALTH,
    token: 'a.b.c',
  });
  expect(text).toContain('  edge    http://127.0.0.1:8787\n  origin  http://127.0.0.1:8000\n');
  expect(text).toContain('Providers (default model: echo)\n  openai     live\n');
  expect(text).toContain('  anthropic  off: set ANTHROPIC_API_KEY to make it real\n');
  expect(text).toContain(formatCurlLine('http://127.0.0.1:8787', 'a.b.c'));
});

test('START-1: the summary shows which engines are live, and what the others lack', () => {
  const text = formatSummary({ originUrl: 'http://127.0.0.1:8000', health: HEALTH });
  expect(text).toContain('Engines (by type of task)\n  content-generation  live\n');
  expect(text).toContain('  ocr                 off: No engine for ocr is installed here.\n');
  expect(describeEngine({ live: false })).toBe('off');
});

test('an edge alone has no engines to show', () => {
  const text = formatSummary({ originUrl: 'http://o', health: { ...HEALTH, engines: {} } });
  expect(text).not.toContain('Engines');
});

test('an origin alone is shown alone, and the curl goes to it', () => {
  const text = formatSummary({ originUrl: 'http://127.0.0.1:8000', health: HEALTH, token: 't' });
  expect(text).not.toContain('  edge ');
  expect(text).toContain(formatCurlLine('http://127.0.0.1:8000', 't'));
});

test('without a token the summary says what would give a curl', () => {
  const text = formatSummary({ originUrl: 'http://127.0.0.1:8000', health: HEALTH });
  expect(text).toContain('With DEV_MODE=true this would show a curl that streams an answer.');
});

test('the curl line opens a stream and reads it to its end', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${body}`.trim());
      const streamUrl = `http://${request.headers.host}/stream/1?access_token=a.b&x=1`;
      response.end(request.method === 'POST' ? JSON.stringify({ ok: true, streamUrl }) : 'data: x');
    });
  });
  const baseUrl = await new Promise<string>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      resolve(`http://127.0.0.1:${port}`);
    });
  });
  try {
    const line = formatCurlLine(baseUrl, 'a.b.c');
    const { stdout } = await promisify(execFile)('sh', ['-c', line]);
    expect(stdout).toBe('data: x');
    expect(asked).toEqual([
      `POST /init-stream {"n8nToken":"a.b.c","resumeUrl":"${baseUrl}/dev/callback","prompt":"Why do rivers meander?"}`,
      'GET /stream/1?access_token=a.b&x=1',
    ]);
  } finally {
    server.close();
  }
});
