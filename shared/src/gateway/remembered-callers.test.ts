import { describe, expect, it } from 'vitest';
import { signCallerToken } from '../security/caller-token.ts';
import { rememberCallers } from './remembered-callers.ts';

const SECRET = 'first-secret-of-at-least-32-bytes!!';

const tokenFor = (ttlSeconds: number, subject = 'alice') =>
  signCallerToken(SECRET, { subject, ttlSeconds });

/** A verifier that finds everything good until it is told otherwise, and a clock. */
function createWorld() {
  const asked: string[] = [];
  const world = { nowMs: Date.now(), isRefused: false, asked };
  const callerOf = rememberCallers(
    async (token) => {
      asked.push(token);
      if (world.isRefused) throw new Error('refused');
      return { subject: 'alice' };
    },
    () => world.nowMs,
  );
  return { world, callerOf };
}

describe('callers who come again', () => {
  it('AUTH-14: a good token is verified again after a minute, and not before', async () => {
    const { world, callerOf } = createWorld();
    const token = await tokenFor(3600);
    expect(await callerOf(token)).toEqual({ subject: 'alice' });
    world.nowMs += 59_999;
    world.isRefused = true;
    expect(await callerOf(token)).toEqual({ subject: 'alice' });
    world.nowMs += 1;
    await expect(callerOf(token)).rejects.toThrow('refused');
  });

  it('AUTH-14: nothing is remembered beyond the `exp` of the token', async () => {
    const { world, callerOf } = createWorld();
    const token = await tokenFor(10);
    await callerOf(token);
    world.nowMs += 10_000;
    await callerOf(token);
    // Within the grace for other clocks each call is verified.
    await callerOf(token);
    expect(world.asked).toHaveLength(3);
  });

  it('AUTH-14: a refusal is not remembered', async () => {
    const { world, callerOf } = createWorld();
    const token = await tokenFor(3600);
    world.isRefused = true;
    await expect(callerOf(token)).rejects.toThrow('refused');
    world.isRefused = false;
    expect(await callerOf(token)).toEqual({ subject: 'alice' });
  });

  it('AUTH-14: calls that come together are verified once', async () => {
    const { world, callerOf } = createWorld();
    const token = await tokenFor(3600);
    await Promise.all([callerOf(token), callerOf(token)]);
    expect(world.asked).toHaveLength(1);
  });

  it('AUTH-14: of more than 1,000 tokens those that came first are forgotten', async () => {
    const { world, callerOf } = createWorld();
    const tokens = await Promise.all(
      Array.from({ length: 1001 }, (_, at) => tokenFor(3600, `caller-${at}`)),
    );
    for (const token of tokens) await callerOf(token);
    await callerOf(tokens[1000] ?? '');
    await callerOf(tokens[1] ?? '');
    expect(world.asked).toHaveLength(1001);
    await callerOf(tokens[0] ?? '');
    expect(world.asked).toHaveLength(1002);
  });
});
