import type { Json } from '@headwater/shared/tasks/task';
import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import type {
  ScriptedMind,
  ScriptedVendor,
} from '@headwater/shared/testing/vendors/scripted-requests';
import { describe, expect, it } from 'vitest';
import type { RunningProcess } from '../hosts/host.ts';
import { worldSettings } from '../hosts/world.ts';
import { type TaskCaller, taskCaller } from '../tasks/task-caller.ts';
import { startAlone } from './word-hosts.ts';

const WORDS = 'Ferguson built the lighthouse of Skerry.';

/** Every whole answer that a caller waits for on the line. */
const WAITS: readonly (readonly [path: string, body: Record<string, Json>])[] = [
  ['/ai/generate', { prompt: 'Who built it?' }],
  ['/ai/chat', { message: 'Who built it?' }],
  ['/ai/rag', { query: 'Who built the lighthouse of Skerry?' }],
  ['/generate-response', { user_query: 'Who built it?', persona_context: 'You are a keeper.' }],
  [
    '/generate-context',
    { user_input: 'Who built it?', character_details: { name: 'Mira', personality: 'dry' } },
  ],
  ['/interact', { user_input: 'Who built it?', mode: 'text', character_details: { name: 'Mira' } }],
];

interface Stopped {
  readonly host: RunningProcess;
  readonly caller: TaskCaller;
  /** Resolves once so many requests have come to the vendor. */
  asked(count: number): Promise<void>;
  /** Asks the process to end. */
  stop(): void;
}

/** Runs `test` on an origin whose vendor answers in this way. */
async function withOrigin(
  mind: ScriptedMind,
  graceSeconds: number,
  test: (stopped: Stopped) => Promise<void>,
): Promise<void> {
  const vendor: ScriptedVendor = await startScriptedVendor({ mind });
  const host = await startAlone({
    ...worldSettings(vendor),
    DEFAULT_MODEL: 'gpt-4.1',
    SHUTDOWN_GRACE_SECONDS: String(graceSeconds),
  });
  try {
    const caller = await taskCaller(host.baseUrl, 'waits');
    const document = await caller.ask('POST', '/ai/rag/documents', {
      text: WORDS,
      title: 'Skerry',
    });
    expect(document.status).toBe(201);
    await test({
      host,
      caller,
      asked: (count) =>
        expect
          .poll(() => vendor.requests.length, { timeout: 20_000 })
          .toBeGreaterThanOrEqual(count),
      stop: () => process.kill(host.pid, 'SIGTERM'),
    });
  } finally {
    await host.close();
    await vendor.close();
  }
}

describe('an origin that is asked to stop', () => {
  it('ANSWER-16: whoever waits for a whole answer beyond the grace is told so', async () => {
    const endless: ScriptedMind = () => ({ tokens: 2_000, delayMs: 100 });
    await withOrigin(endless, 1, async ({ caller, asked, stop }) => {
      const answers = WAITS.map(([path, body]) => caller.ask('POST', path, body));
      await asked(WAITS.length);
      stop();
      for (const [at, answer] of (await Promise.allSettled(answers)).entries()) {
        const path = WAITS[at]?.[0];
        if (answer.status === 'rejected') throw new Error(`${path}: no answer`);
        const { status, headers, body } = answer.value;
        // A context whose model was let go is made of the details, where there is time for it.
        if (path === '/generate-context' && status === 200) {
          expect(body).toMatchObject({ source: 'template', warnings: [expect.any(String)] });
          continue;
        }
        expect([path, status, body]).toMatchObject([
          ...[path, 503, { error: { code: 'unavailable', requestId: expect.any(String) } }],
        ]);
        expect(headers.get('retry-after')).toMatch(/^\d+$/);
      }
    });
  }, 120_000);

  it('ANSWER-16: a whole answer that ends within the grace reaches its caller', async () => {
    const slow: ScriptedMind = () => ({ text: `${WORDS} [1]`, delayMs: 300 });
    await withOrigin(slow, 20, async ({ caller, asked, stop }) => {
      // That of a context is JSON, which this vendor does not write.
      const waits = WAITS.filter(([path]) => !['/generate-context', '/interact'].includes(path));
      const answers = waits.map(([path, body]) => caller.ask('POST', path, body));
      await asked(waits.length);
      stop();
      for (const [at, { status, body }] of (await Promise.all(answers)).entries()) {
        expect([waits[at]?.[0], status]).toEqual([waits[at]?.[0], 200]);
        expect(JSON.stringify(body)).toContain('Ferguson');
      }
    });
  }, 120_000);
});

describe('a caller that leaves before its answer', () => {
  it('LOG-5: has its one line, with 499 and how long it waited', async () => {
    const endless: ScriptedMind = () => ({ tokens: 2_000, delayMs: 100 });
    await withOrigin(endless, 1, async ({ host, caller, asked }) => {
      const leaving = new AbortController();
      const left = WAITS.map(([path, body], at) =>
        fetch(`${host.baseUrl}${path}`, {
          method: 'POST',
          headers: {
            ...caller.headers,
            'content-type': 'application/json',
            'x-request-id': `leaves-${at}`,
          },
          body: JSON.stringify(body),
          signal: leaving.signal,
        }).catch(() => undefined),
      );
      await asked(WAITS.length);
      leaving.abort();
      await Promise.all(left);
      const lines = () =>
        host
          .logs()
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line) as Record<string, unknown>)
          .filter(
            ({ msg, requestId }) => msg === 'request' && `${requestId}`.startsWith('leaves-'),
          );
      await expect.poll(() => lines().length).toBeGreaterThanOrEqual(WAITS.length);
      expect(lines().length).toBe(WAITS.length);
      for (const [at, [path]] of WAITS.entries()) {
        expect(lines().find(({ requestId }) => requestId === `leaves-${at}`)).toMatchObject({
          method: 'POST',
          path,
          status: 499,
          cut: true,
          durationMs: expect.any(Number),
        });
      }
    });
  }, 120_000);
});
