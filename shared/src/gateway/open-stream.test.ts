import { describe, expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import { parseSettings } from '../protocol/settings.ts';
import { createEchoProvider } from '../providers/echo/adapter.ts';
import { createProviderRegistry } from '../providers/registry.ts';
import { createAccessTokens } from '../security/access-token.ts';
import type { SessionState } from '../stream/session-state.ts';
import { type OpenStreamInput, type OpenStreamPorts, openStream } from './open-stream.ts';
import { subjectLimitsOf } from './subject-ledger.ts';
import { createMemoryLedger } from './subject-ledger-memory.ts';

const SECRET = 'first-secret-of-at-least-32-bytes!!';
const BODY = { prompt: 'hi', resumeUrl: 'https://n8n.example/webhook-waiting/1?signature=a%20b' };

/** A host that says in which order it was asked. */
function createHost(env: Record<string, unknown> = {}, ports: Partial<OpenStreamPorts> = {}) {
  const settings = parseSettings({ JWT_SECRET: SECRET, ...env });
  const accessTokens = createAccessTokens({ secrets: [SECRET] });
  const asked: string[] = [];
  const kept: SessionState[] = [];
  const ledger = createMemoryLedger(subjectLimitsOf(settings));
  let streams = 0;
  const host: OpenStreamPorts = {
    settings,
    authorise: async ({ token }) => {
      asked.push(`authorise ${token ?? '-'}`);
      return { subject: 'alice' };
    },
    accessTokens,
    registry: createProviderRegistry({ providers: { echo: createEchoProvider() } }),
    nowMs: () => Date.now(),
    newStreamId: () => {
      streams += 1;
      return `s${streams}`;
    },
    ledger: {
      ...ledger,
      admit(request) {
        asked.push(`admit ${request.subject}`);
        return ledger.admit(request);
      },
      confirm(subject, key) {
        asked.push('confirm');
        ledger.confirm(subject, key);
      },
    },
    create: async (state) => {
      asked.push('create');
      kept.push(state);
    },
    ...ports,
  };
  const open = (body: unknown, input: Partial<OpenStreamInput> = {}) =>
    openStream(host, {
      contentType: 'application/json',
      bodyText: typeof body === 'string' ? body : JSON.stringify(body),
      authorization: null,
      apiKey: null,
      idempotencyKey: null,
      requestBaseUrl: 'https://edge.example',
      ...input,
    });
  return { open, asked, kept, accessTokens, ledger };
}

const twoVendors = () =>
  createProviderRegistry({
    providers: { echo: createEchoProvider(), openai: { ...createEchoProvider(), name: 'openai' } },
  });

describe('opening a stream', () => {
  it('INIT-1: answers with a URL whose token opens that one stream', async () => {
    const { open, kept, accessTokens } = createHost();
    const answer = await open({ ...BODY, n8nToken: 't' });
    const url = new URL(answer.body.streamUrl);
    expect(answer).toMatchObject({ body: { ok: true }, streamId: 's1', replayed: false });
    expect(`${url.origin}${url.pathname}`).toBe('https://edge.example/stream/s1');
    const token = url.searchParams.get('access_token') ?? '';
    await expect(accessTokens.verify(token, 's1')).resolves.toBeUndefined();
    await expect(accessTokens.verify(token, 's2')).rejects.toMatchObject({ code: 'forbidden' });
    expect(kept[0]?.request).toEqual({
      streamId: 's1',
      subject: 'alice',
      targets: [{ provider: 'echo', model: 'echo', name: 'echo' }],
      messages: [{ role: 'user', content: 'hi' }],
      maxTokens: 4096,
      start: 'connect',
      onDisconnect: 'continue',
      isKept: true,
      mayRestart: true,
      graceMs: 10_000,
      maxAnswerBytes: 4 * 1024 * 1024,
      resumeUrl: BODY.resumeUrl,
      userId: null,
      chatId: null,
      prompt: 'hi',
    });
    expect(kept[0]?.times).toEqual({ ttlMs: 60_000, retentionMs: 600_000 });
  });

  it('INIT-1: PUBLIC_URL goes before the address the request came to', async () => {
    const { open } = createHost({ PUBLIC_URL: 'https://public.example/base' });
    const { body } = await open(BODY);
    expect(body.streamUrl).toMatch(/^https:\/\/public\.example\/base\/stream\/s1\?access_token=/);
  });

  it('INIT-2: the caller is known first, then counted, then the session is kept', async () => {
    const { open, asked } = createHost();
    await open({ ...BODY, n8nToken: 't' });
    expect(asked).toEqual(['authorise t', 'admit alice', 'create']);
  });

  it.each<[string, unknown, string]>([
    ['a body without its fields', {}, 'validation_failed'],
    [
      'both a prompt and messages',
      { ...BODY, messages: [{ role: 'user', content: 'x' }] },
      'validation_failed',
    ],
    [
      'a callback to a private address',
      { ...BODY, resumeUrl: 'http://10.0.0.1/' },
      'validation_failed',
    ],
    [
      'a callback to this machine',
      { ...BODY, resumeUrl: 'http://127.0.0.1/' },
      'validation_failed',
    ],
    ['an unknown model', { ...BODY, model: 'no-such-model' }, 'validation_failed'],
    [
      'an unknown fallback model',
      { ...BODY, fallbackModels: ['echo', 'no-such-model'] },
      'validation_failed',
    ],
    [
      'a fallback model whose vendor is not set up',
      { ...BODY, fallbackModels: ['claude-sonnet-5-5'] },
      'unavailable',
    ],
    ['a vendor that is not set up', { ...BODY, model: 'claude-sonnet-5-5' }, 'unavailable'],
  ])('INIT-2: after the refusal of %s nothing is counted or kept', async (_case, body, code) => {
    const { open, asked, kept } = createHost();
    await expect(open(body)).rejects.toMatchObject({ code });
    expect(asked).toEqual(['authorise -']);
    expect(kept).toEqual([]);
  });

  it('INIT-2: an unknown caller learns nothing of its faults', async () => {
    const refused = new GatewayError('unauthorized', 'Who are you?');
    const { open, kept } = createHost({}, { authorise: () => Promise.reject(refused) });
    await expect(open({})).rejects.toBe(refused);
    expect(kept).toEqual([]);
  });

  it('INIT-5: the refusal of a vendor that is not set up names its setting', async () => {
    const { open } = createHost();
    await expect(open({ ...BODY, model: 'claude-sonnet-5-5' })).rejects.toThrow(
      'ANTHROPIC_API_KEY',
    );
  });

  it('INIT-5: a fallback model that is unknown is named by its place', async () => {
    const { open } = createHost();
    const body = { ...BODY, fallbackModels: ['echo', 'no-such-model'] };
    await expect(open(body)).rejects.toMatchObject({
      code: 'validation_failed',
      details: { fields: [{ path: 'fallbackModels.1' }] },
    });
  });

  it('INIT-8: the models that take over are resolved when the stream is opened', async () => {
    const { open, kept } = createHost({ OPENAI_API_KEY: 'sk-x' }, { registry: twoVendors() });
    const wishes = { onDisconnect: 'drain', fallbackModels: ['openai/gpt-4o', 'echo'] };
    await open({ ...BODY, model: 'echo', ...wishes });
    expect(kept[0]?.request).toMatchObject({
      onDisconnect: 'drain',
      targets: [
        { provider: 'echo', model: 'echo', name: 'echo' },
        { provider: 'openai', model: 'gpt-4o', name: 'openai/gpt-4o' },
        { provider: 'echo', model: 'echo', name: 'echo' },
      ],
    });
  });

  it('INIT-6: a caller over its rate is told how long to wait, and nothing is kept', async () => {
    const { open, kept } = createHost({ RATE_LIMIT_PER_MINUTE: '1' });
    await open(BODY);
    await expect(open(BODY)).rejects.toMatchObject({
      code: 'rate_limited',
      details: { retryAfterSeconds: 60 },
    });
    expect(kept).toHaveLength(1);
  });

  it('LIMIT-2: a caller with too many live streams is refused until one has ended', async () => {
    const { open, kept, ledger } = createHost({ MAX_LIVE_STREAMS_PER_SUBJECT: '1' });
    await open(BODY);
    await expect(open(BODY)).rejects.toMatchObject({ code: 'rate_limited' });
    ledger.release('alice', 's1');
    await open(BODY);
    expect(kept).toHaveLength(2);
  });

  it('LIMIT-2: a session that could not be kept is not live', async () => {
    const { open } = createHost(
      { MAX_LIVE_STREAMS_PER_SUBJECT: '1' },
      { create: () => Promise.reject(new GatewayError('unavailable', 'The disk is full.')) },
    );
    await expect(open(BODY)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(open(BODY)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('INIT-9: MAX_PROMPT_BYTES bounds the text of all messages, in UTF-8', async () => {
    const { open, asked } = createHost({ MAX_PROMPT_BYTES: '10' });
    await open({ ...BODY, prompt: 'é'.repeat(5) });
    await open({ ...BODY, system: '12345', prompt: '67890' });
    const before = asked.length;
    const tooLarge = { code: 'payload_too_large', message: expect.stringContaining('10 bytes') };
    await expect(open({ ...BODY, prompt: `${'é'.repeat(5)}x` })).rejects.toMatchObject(tooLarge);
    await expect(open({ ...BODY, system: '123456', prompt: '67890' })).rejects.toMatchObject(
      tooLarge,
    );
    const { prompt: _prompt, ...rest } = BODY;
    const messages = ['user', 'assistant', 'user'].map((role) => ({ role, content: '1234' }));
    await expect(open({ ...rest, messages })).rejects.toMatchObject(tooLarge);
    expect(asked.slice(before)).toEqual(Array(3).fill('authorise -'));
  });

  it('INIT-4: only what is declared as JSON is read', async () => {
    const { open, asked } = createHost();
    for (const contentType of [
      null,
      '',
      'text/plain',
      'application/jsonx',
      'multipart/form-data',
    ]) {
      await expect(open(BODY, { contentType })).rejects.toMatchObject({
        code: 'unsupported_media_type',
      });
    }
    for (const text of ['', '{', '[]', 'null', '"x"', '1']) {
      await expect(open(text)).rejects.toMatchObject({ code: 'validation_failed' });
    }
    expect(asked).toEqual([]);
    for (const contentType of [
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/vnd.x+json',
    ]) {
      expect((await open(BODY, { contentType })).body.ok).toBe(true);
    }
  });

  it('CALLBACK-5: in DEV_MODE a callback may go to this machine', async () => {
    const { open } = createHost({ DEV_MODE: 'true' });
    expect((await open({ ...BODY, resumeUrl: 'http://127.0.0.1:5678/x' })).body.ok).toBe(true);
  });
});

describe('opening a stream with an Idempotency-Key', () => {
  const keyed = { idempotencyKey: 'order 7' };

  it('IDEM-1: the same again gets the same URL, byte for byte, and no second session', async () => {
    const { open, kept, asked } = createHost({ RATE_LIMIT_PER_MINUTE: '1' });
    const first = await open({ ...BODY, n8nToken: 'old' }, keyed);
    const again = await open(
      { ...BODY, n8nToken: 'new' },
      { ...keyed, requestBaseUrl: 'https://elsewhere.example' },
    );
    expect(first.replayed).toBe(false);
    expect(again).toEqual({ ...first, replayed: true });
    expect(kept).toHaveLength(1);
    expect(asked).toEqual([
      'authorise old',
      'admit alice',
      'create',
      'confirm',
      'authorise new',
      'admit alice',
    ]);
  });

  it('IDEM-2: with another body it is a conflict, and nothing is kept', async () => {
    const { open, kept } = createHost();
    await open(BODY, keyed);
    const other = open({ ...BODY, prompt: 'ho' }, keyed);
    await expect(other).rejects.toMatchObject({ code: 'conflict', status: 409 });
    expect(kept).toHaveLength(1);
  });

  it('IDEM-1: equal calls at once make one session, whoever of them comes first', async () => {
    const { open, kept } = createHost();
    const answers = await Promise.all(Array.from({ length: 20 }, () => open(BODY, keyed)));
    expect(new Set(answers.map(({ body }) => body.streamUrl)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(kept.map(({ request }) => request.streamId)).size).toBe(1);
  });

  it('IDEM-4: a call that was lost between count and session is mended by the next one', async () => {
    let fails = true;
    const kept: SessionState[] = [];
    const { open, asked } = createHost(
      { MAX_LIVE_STREAMS_PER_SUBJECT: '1' },
      {
        create: async (state) => {
          if (fails) throw new GatewayError('unavailable', 'Gone.');
          kept.push(state);
        },
      },
    );
    await expect(open(BODY, keyed)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(open(BODY, keyed)).rejects.toMatchObject({ code: 'unavailable' });
    // Its place among the live ones is kept for it.
    await expect(open(BODY)).rejects.toMatchObject({ code: 'rate_limited' });
    fails = false;
    const mended = await open(BODY, keyed);
    expect(mended).toMatchObject({ streamId: 's1', replayed: true });
    expect(kept.map(({ request }) => request.streamId)).toEqual(['s1']);
    expect(new URL(mended.body.streamUrl).pathname).toBe('/stream/s1');
    await open(BODY, keyed);
    expect(kept).toHaveLength(1);
    expect(asked.filter((step) => step === 'confirm')).toHaveLength(1);
  });

  it('IDEM-7: a key that is none is refused once the caller is known', async () => {
    const { open, asked } = createHost();
    for (const idempotencyKey of ['', 'é', 'x'.repeat(256)]) {
      await expect(open(BODY, { idempotencyKey })).rejects.toMatchObject({
        code: 'validation_failed',
      });
    }
    expect(asked).toEqual(Array(3).fill('authorise -'));
  });
});
