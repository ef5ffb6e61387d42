import { describe, expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import { parseSettings } from '../protocol/settings.ts';
import { createEchoProvider } from '../providers/echo/adapter.ts';
import { createProviderRegistry } from '../providers/registry.ts';
import { createAccessTokens } from '../security/access-token.ts';
import type { SessionState } from '../stream/session.ts';
import { type OpenStreamInput, type OpenStreamPorts, openStream } from './open-stream.ts';

const SECRET = 'first-secret-of-at-least-32-bytes!!';
const BODY = { prompt: 'hi', resumeUrl: 'https://n8n.example/webhook-waiting/1?signature=a%20b' };

/** A host that says in which order it was asked. */
function createHost(env: Record<string, unknown> = {}, ports: Partial<OpenStreamPorts> = {}) {
  const settings = parseSettings({ JWT_SECRET: SECRET, ...env });
  const accessTokens = createAccessTokens({ secrets: [SECRET] });
  const asked: string[] = [];
  const kept: SessionState[] = [];
  const host: OpenStreamPorts = {
    settings,
    authorise: async ({ token }) => {
      asked.push(`authorise ${token ?? '-'}`);
      return { subject: 'alice' };
    },
    accessTokens,
    registry: createProviderRegistry({ providers: { echo: createEchoProvider() } }),
    nowMs: () => Date.now(),
    newStreamId: () => 's1',
    admit: async (subject) => {
      asked.push(`admit ${subject}`);
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
      requestBaseUrl: 'https://edge.example',
      ...input,
    });
  return { open, asked, kept, accessTokens };
}

describe('opening a stream', () => {
  it('INIT-1: answers with a URL whose token opens that one stream', async () => {
    const { open, kept, accessTokens } = createHost();
    const answer = await open({ ...BODY, n8nToken: 't' });
    const url = new URL(answer.streamUrl);
    expect(answer).toMatchObject({ ok: true, streamId: 's1' });
    expect(`${url.origin}${url.pathname}`).toBe('https://edge.example/stream/s1');
    const token = url.searchParams.get('access_token') ?? '';
    await expect(accessTokens.verify(token, 's1')).resolves.toBeUndefined();
    await expect(accessTokens.verify(token, 's2')).rejects.toMatchObject({ code: 'forbidden' });
    expect(kept[0]?.request).toEqual({
      streamId: 's1',
      subject: 'alice',
      provider: 'echo',
      model: 'echo',
      modelName: 'echo',
      messages: [{ role: 'user', content: 'hi' }],
      maxTokens: 4096,
      start: 'connect',
      resumeUrl: BODY.resumeUrl,
      userId: null,
      chatId: null,
      prompt: 'hi',
    });
    expect(kept[0]?.times).toEqual({ ttlMs: 60_000, retentionMs: 600_000 });
  });

  it('INIT-1: PUBLIC_URL goes before the address the request came to', async () => {
    const { open } = createHost({ PUBLIC_URL: 'https://public.example/base' });
    const { streamUrl } = await open(BODY);
    expect(streamUrl).toMatch(/^https:\/\/public\.example\/base\/stream\/s1\?access_token=/);
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

  it('INIT-6: a caller over its rate gets its refusal, and nothing is kept', async () => {
    const limited = new GatewayError('rate_limited', 'Slow down.');
    const { open, kept } = createHost({}, { admit: () => Promise.reject(limited) });
    await expect(open(BODY)).rejects.toBe(limited);
    expect(kept).toEqual([]);
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
      expect((await open(BODY, { contentType })).ok).toBe(true);
    }
  });

  it('CALLBACK-5: in DEV_MODE a callback may go to this machine', async () => {
    const { open } = createHost({ DEV_MODE: 'true' });
    expect((await open({ ...BODY, resumeUrl: 'http://127.0.0.1:5678/x' })).ok).toBe(true);
  });
});
