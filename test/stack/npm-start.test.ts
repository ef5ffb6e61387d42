import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { curlMissing } from '../hosts/curl.ts';
import { freePort, ROOT } from '../hosts/host.ts';

const run = promisify(execFile);

/** Every living descendant of a process, by id. */
function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It ended while it was looked at.
    }
  }
  const found: number[] = [];
  const queue = [root];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const below = children.get(id) ?? [];
    found.push(...below);
    queue.push(...below);
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
  } catch {
    // Gone.
    return false;
  }
}

describe.runIf(process.platform === 'linux')('npm start', () => {
  let stop: (() => Promise<void>) | undefined;
  afterEach(async () => {
    await stop?.();
    stop = undefined;
  });

  async function start(args: readonly string[], env: Readonly<Record<string, string>>) {
    const child = spawn('npm', ['start', '--', ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        output += text;
      });
    }
    const ended = once(child, 'exit');
    stop = async () => {
      if (child.exitCode === null) child.kill('SIGTERM');
      await ended;
    };
    return { child, ended, output: () => output };
  }

  it('START-1, START-3: runs both hosts, its printed curl streams an answer, and SIGTERM leaves nothing behind', async (context) => {
    const missing = curlMissing();
    if (missing !== undefined) context.skip(missing);
    const [edge, origin] = [await freePort(), await freePort()];
    const { child, ended, output } = await start([], {
      EDGE_PORT: String(edge),
      ORIGIN_PORT: String(origin),
    });
    await expect.poll(output, { timeout: 90_000 }).toMatch(/^ {2}curl .*$/m);
    expect(output()).toContain(`http://127.0.0.1:${edge}`);
    expect(output()).toContain(`http://127.0.0.1:${origin}`);
    expect(output()).toMatch(/openai\s+off: set OPENAI_API_KEY/);
    const curl = /^ {2}(curl .*)$/m.exec(output())?.[1] ?? '';
    const { stdout } = await run('bash', ['-c', curl]);
    expect(stdout).toContain('simulated');
    expect(stdout.trimEnd().endsWith('data: [DONE]')).toBe(true);

    const family = descendants(child.pid ?? 0);
    expect(family.length).toBeGreaterThan(3);
    child.kill('SIGTERM');
    await ended;
    await expect.poll(() => family.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  });

  it('START-2: --origin-only runs the origin alone', async () => {
    const [edge, origin] = [await freePort(), await freePort()];
    const { output } = await start(['--origin-only'], {
      EDGE_PORT: String(edge),
      ORIGIN_PORT: String(origin),
    });
    await expect.poll(output, { timeout: 60_000 }).toMatch(/^ {2}curl .*$/m);
    expect((await fetch(`http://127.0.0.1:${origin}/health`)).status).toBe(200);
    await expect(fetch(`http://127.0.0.1:${edge}/health`)).rejects.toThrow();
  });

  it('START-4: a taken port and a bad setting each end it with one clear sentence', async () => {
    const taken = await freePort();
    const { createServer } = await import('node:net');
    const server = createServer().listen(taken, '127.0.0.1');
    const port = await start([], {
      ORIGIN_PORT: String(taken),
      EDGE_PORT: String(await freePort()),
    });
    const [portCode] = await port.ended;
    server.close();
    expect(portCode).toBe(1);
    expect(port.output()).toContain('ORIGIN_PORT');

    const secret = 'too-short-canary';
    const bad = await start([], {
      ORIGIN_PORT: String(await freePort()),
      EDGE_PORT: String(await freePort()),
      JWT_SECRET: secret,
      STREAM_TTL_SECONDS: 'soon',
    });
    const [badCode] = await bad.ended;
    expect(badCode).toBe(1);
    expect(bad.output()).toContain('JWT_SECRET');
    expect(bad.output()).toContain('STREAM_TTL_SECONDS');
    expect(bad.output()).not.toContain(secret);
  });

  it('START-5: npm run token prints a token that opens a stream, and nothing else', async () => {
    const { stdout } = await run(
      'npm',
      ['run', '--silent', 'token', '--', '--sub', 'ada', '--ttl', '60'],
      {
        cwd: ROOT,
      },
    );
    const [, payload] = stdout.trim().split('.');
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ sub: 'ada' });
    expect(claims.exp - claims.iat).toBe(60);
    const secret = await run('npm', ['run', '--silent', 'token', '--', '--webhook-secret'], {
      cwd: ROOT,
    });
    expect(secret.stdout).toMatch(/^whsec_\S+\n$/);
  });
});
