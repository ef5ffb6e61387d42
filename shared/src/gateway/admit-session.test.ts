import { expect, it } from 'vitest';
import { parseSettings } from '../protocol/settings.ts';
import { createEchoProvider } from '../providers/echo/adapter.ts';
import { createProviderRegistry } from '../providers/registry.ts';
import type { SessionState } from '../stream/session-state.ts';
import { admitSession, type SessionPorts, type SessionWish } from './admit-session.ts';
import type { AdmitRequest } from './subject-ledger.ts';

const NOW_MS = Date.UTC(2030, 0, 1);

const WISH: SessionWish = {
  subject: 'alice',
  model: undefined,
  messages: [{ role: 'user', content: 'hi' }],
  maxTokens: 10,
  start: 'now',
  onDisconnect: 'cancel',
  isKept: false,
  mayRestart: false,
  userId: null,
  chatId: null,
  prompt: 'hi',
};

function createHost(env: Record<string, string> = {}) {
  const asked: AdmitRequest[] = [];
  const kept: SessionState[] = [];
  const ports: SessionPorts = {
    settings: parseSettings({ JWT_SECRET: 'x'.repeat(32), ...env }),
    registry: createProviderRegistry({ providers: { echo: createEchoProvider() } }),
    ledger: {
      admit(request) {
        asked.push(request);
        return { type: 'admitted' };
      },
      confirm: () => expect.fail('there is no key'),
      release: () => undefined,
    },
    nowMs: () => NOW_MS,
    newStreamId: () => 's1',
    create: (state) => void kept.push(state),
  };
  return { ports, asked, kept };
}

it('INIT-10: a session may have no address and no callback; the host adds what is its to decide', async () => {
  const { ports, asked, kept } = createHost({ STREAM_TTL_SECONDS: '60' });
  expect(await admitSession(ports, { ...WISH, graceMs: 0 })).toEqual({
    streamId: 's1',
    streamUrl: '',
    replayed: false,
  });
  const { model: _model, ...asIs } = WISH;
  expect(kept[0]?.request).toEqual({
    ...asIs,
    streamId: 's1',
    targets: [{ provider: 'echo', model: 'echo', name: 'echo' }],
    graceMs: 0,
    maxAnswerBytes: 4 * 1024 * 1024,
  });
  expect(asked).toEqual([
    {
      subject: 'alice',
      streamId: 's1',
      streamUrl: '',
      liveUntilMs: NOW_MS + 3_660_000,
      nowMs: NOW_MS,
    },
  ]);
});

it('INIT-1: the token of the URL holds until the stream can be read no more', async () => {
  const { ports, asked } = createHost({ STREAM_RETENTION_SECONDS: '600' });
  const { streamUrl } = await admitSession(ports, WISH, {
    urlOf: (streamId, expiresAtMs) => `${streamId} until ${expiresAtMs - NOW_MS}`,
  });
  expect(streamUrl).toBe('s1 until 4260000');
  expect(asked[0]?.streamUrl).toBe(streamUrl);
});

it('INIT-9: the arguments of tool calls are text that the model has to read as well', async () => {
  const { ports, asked } = createHost({ MAX_PROMPT_BYTES: '10' });
  const withCall = (args: string): SessionWish => ({
    ...WISH,
    messages: [
      ...WISH.messages,
      { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'f', arguments: args }] },
    ],
  });
  await admitSession(ports, withCall('x'.repeat(8)));
  await expect(admitSession(ports, withCall('x'.repeat(9)))).rejects.toMatchObject({
    code: 'payload_too_large',
  });
  expect(asked).toHaveLength(1);
});
