/** Sessions to test with. */

import {
  type ModelTarget,
  newSession,
  type SessionState,
  type StreamRequest,
} from '../stream/session-state.ts';

/** A model of the built-in simulation. */
export function anEchoTarget(name = 'echo'): ModelTarget {
  return { provider: 'echo', model: name, name };
}

/** A plain request; `changes` replaces what a test is about. */
export function aStreamRequest(changes: Partial<StreamRequest> = {}): StreamRequest {
  return {
    streamId: 's1',
    subject: 'alice',
    targets: [anEchoTarget()],
    messages: [{ role: 'user', content: 'Say hello.' }],
    maxTokens: 100,
    start: 'connect',
    onDisconnect: 'continue',
    graceMs: 10_000,
    maxAnswerBytes: 10_000_000,
    isKept: true,
    mayRestart: true,
    resumeUrl: 'https://n8n.example/webhook-waiting/1?signature=abc',
    userId: 'u1',
    chatId: 'c1',
    prompt: 'Say hello.',
    ...changes,
  };
}

/** A session before its `created` input: it expires after 60 s and is kept for 600 s. */
export function aNewSession(
  nowMs: number,
  changes: Partial<StreamRequest> = {},
  times: Partial<SessionState['times']> = {},
): SessionState {
  return newSession(
    aStreamRequest(changes),
    { ttlMs: 60_000, retentionMs: 600_000, ...times },
    nowMs,
  );
}

/** A session of a chat: nothing of it is kept, and nobody is called back. */
export function aChatSession(nowMs: number, streamId: string): SessionState {
  const { resumeUrl: _none, ...request } = aStreamRequest({
    streamId,
    isKept: false,
    mayRestart: false,
    onDisconnect: 'cancel',
    graceMs: 0,
  });
  return newSession(request, { ttlMs: 60_000, retentionMs: 600_000 }, nowMs);
}
