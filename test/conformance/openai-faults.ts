/** OpenAI's API, as its own SDK sees it: failures, fallbacks, refusals, callers that leave. */

import {
  APIError,
  AuthenticationError,
  BadRequestError,
  createOpenAIClient,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from '@headwater/shared/testing/openai-client';
import {
  scriptedAnswer,
  scriptedPrompt,
  scriptedSent,
} from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { callerToken } from '../hosts/gateway-client.ts';
import { askedWith, openaiCaller, say } from '../hosts/openai-caller.ts';
import { ALLOWED_PAGE, type World } from '../hosts/world.ts';

/** Adds the tests. */
export function describeOpenAIFaults(world: () => World): void {
  const clientOf = (subject: string) => openaiCaller(world(), subject);

  async function hostOf(): Promise<string> {
    const response = await fetch(`${world().host.baseUrl}/health`);
    return ((await response.json()) as { host: string }).host;
  }

  for (const stream of [true, false]) {
    it(`OPENAI-8: a caller that leaves ${stream ? 'a stream' : 'a whole answer'} stops the request to the model`, async (context) => {
      if (!stream && (await hostOf()) === 'edge') {
        context.skip('wrangler dev tells a Worker that its caller has left only when it writes');
      }
      const client = await clientOf('leave');
      const content = scriptedPrompt({ tokens: 500, delayMs: 20 }, `Leave ${stream}.`);
      const leave = new AbortController();
      const params = { model: 'gpt-4o', messages: say(content) };
      const asked = () => askedWith(world(), `Leave ${stream}.`);
      if (stream) {
        const chunks = await client.chat.completions.create({ ...params, stream });
        for await (const chunk of chunks) if (chunk.choices[0]?.delta.content) break;
      } else {
        const whole = client.chat.completions.create(params, { signal: leave.signal });
        whole.catch(() => undefined);
        await expect.poll(() => asked().length, { timeout: 5000 }).toBe(1);
        leave.abort();
      }
      await expect
        .poll(() => asked().map(({ aborted }) => aborted), { timeout: 5000 })
        .toEqual([true]);
    });
  }

  it('OPENAI-6: an upstream that is cut in mid-answer throws in the SDK, after all that was said', async () => {
    const client = await clientOf('cut');
    const content = scriptedPrompt({ tokens: 20, fault: 'cut', delayMs: 2 }, 'Cut it.');
    const params = { model: 'gpt-4o', messages: say(content) };
    let said = '';
    const reading = async () => {
      for await (const chunk of await client.chat.completions.create({ ...params, stream: true })) {
        said += chunk.choices[0]?.delta.content ?? '';
      }
    };
    const thrown = await reading().catch((fault: unknown) => fault);
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toMatchObject({ type: 'api_error', code: 'upstream_failed', status: undefined });
    expect(String(thrown)).not.toMatch(/secret|canary/);
    expect(said).toBe(scriptedSent(content));
    expect(said).not.toBe('');
    const whole = await client.chat.completions.create(params).catch((fault: unknown) => fault);
    expect(whole).toBeInstanceOf(InternalServerError);
    expect(whole).toMatchObject({ status: 502, code: 'upstream_failed' });
  });

  it('OPENAI-6: a vendor that refuses before the first word has its status, also for a stream', async () => {
    const client = await clientOf('refused');
    const content = scriptedPrompt({ status: 400 }, 'Refuse it.');
    for (const stream of [true, false]) {
      const thrown = await client.chat.completions
        .create({ model: 'gpt-4o', messages: say(content), stream })
        .catch((fault: unknown) => fault);
      expect(thrown).toBeInstanceOf(BadRequestError);
      expect(String(thrown)).not.toMatch(/secret/);
    }
  });

  it('OPENAI-5: a vendor that limits the rate says through the gateway how long to wait', async () => {
    const client = await clientOf('limited');
    const content = scriptedPrompt({ status: 429, retryAfter: '40' }, 'Limit it.');
    for (const stream of [true, false]) {
      const thrown = await client.chat.completions
        .create({ model: 'gpt-4o', messages: say(content), stream })
        .catch((fault: unknown) => fault);
      expect(thrown).toMatchObject({ status: 503, code: 'unavailable' });
      expect(Number((thrown as APIError).headers?.get('retry-after'))).toBeGreaterThan(30);
    }
  });

  it('OPENAI-7: a fallback takes over before the first word, and says which model it is', async () => {
    const client = await clientOf('fallback');
    const content = scriptedPrompt({ status: 401 }, 'Fall back.');
    const params = { model: 'gpt-4o', messages: say(content), models: ['echo'] };
    const whole = await client.chat.completions.create(params);
    expect(whole.model).toBe('echo');
    expect(whole.choices[0]?.message.content).toContain('Fall back.');
    const models = new Set<string>();
    for await (const chunk of await client.chat.completions.create({ ...params, stream: true })) {
      models.add(chunk.model);
    }
    expect([...models]).toEqual(['echo']);
  });

  it('OPENAI-7: a fallback in mid-answer ends a stream with an error, and is unnoticed in a whole one', async () => {
    const client = await clientOf('late-fallback');
    const content = scriptedPrompt({ tokens: 20, fault: 'cut', delayMs: 2 }, 'Fall back late.');
    const params = { model: 'gpt-4o', messages: say(content), models: ['echo'] };
    const whole = await client.chat.completions.create(params);
    expect(whole.model).toBe('echo');
    expect(whole.choices[0]?.message.content).not.toContain(`${scriptedSent(content)}`);
    let said = '';
    const reading = async () => {
      for await (const chunk of await client.chat.completions.create({ ...params, stream: true })) {
        said += chunk.choices[0]?.delta.content ?? '';
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: 'upstream_failed' });
    expect(said).toBe(scriptedSent(content));
    expect(scriptedAnswer(content).startsWith(said)).toBe(true);
  });

  it('OPENAI-5, OPENAI-9: a caller that is not known is an AuthenticationError', async () => {
    const client = createOpenAIClient({ baseURL: `${world().host.baseUrl}/v1`, apiKey: 'sk-none' });
    for (const call of [
      () => client.chat.completions.create({ model: 'echo', messages: say('hi') }),
      () => client.models.list(),
      () => client.models.retrieve('echo'),
    ]) {
      const thrown = await call().then(
        () => expect.fail('it was let in'),
        (fault: unknown) => fault,
      );
      expect(thrown).toBeInstanceOf(AuthenticationError);
      expect(thrown).toMatchObject({ type: 'authentication_error', code: 'invalid_api_key' });
      expect((thrown as APIError).requestID).toMatch(/^[\w.:-]{8,}$/);
    }
  });

  it('OPENAI-2, OPENAI-5: an unknown model is not found; a faulty field is named', async () => {
    const client = await clientOf('faults');
    const unknown = client.chat.completions.create({ model: 'no-such', messages: say('hi') });
    await expect(unknown).rejects.toBeInstanceOf(NotFoundError);
    await expect(unknown).rejects.toMatchObject({ code: 'model_not_found', param: 'model' });
    const many = client.chat.completions.create({ model: 'echo', messages: say('hi'), n: 2 });
    await expect(many).rejects.toBeInstanceOf(BadRequestError);
    await expect(many).rejects.toMatchObject({ param: 'n', type: 'invalid_request_error' });
    const large = client.chat.completions.create({
      model: 'echo',
      messages: say('x'.repeat(3 * 1024 * 1024)),
    });
    await expect(large).rejects.toMatchObject({ status: 413, code: 'payload_too_large' });
  });

  it('OPENAI-5, OPENAI-9: too many chats in a minute are RateLimitErrors that say how long to wait', async () => {
    const client = await clientOf('greedy');
    const answers = await Promise.allSettled(
      Array.from({ length: 64 }, () =>
        client.chat.completions.create({ model: 'echo', messages: say('hi'), max_tokens: 1 }),
      ),
    );
    const refused = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as APIError] : [],
    );
    expect(refused).toHaveLength(4);
    expect(refused.every((thrown) => thrown instanceof RateLimitError)).toBe(true);
    expect(Number(refused[0]?.headers?.get('retry-after'))).toBeGreaterThan(0);
  });

  it('CORS-1: a listed page may read a chat, and its errors', async () => {
    const headers = { origin: ALLOWED_PAGE, 'content-type': 'application/json' };
    const url = `${world().host.baseUrl}/v1/chat/completions`;
    const refused = await fetch(url, { method: 'POST', headers, body: '{}' });
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ error: { param: null } });
    expect(refused.headers.get('access-control-allow-origin')).toBe(ALLOWED_PAGE);
    const authorization = `Bearer ${await callerToken('openai-cors')}`;
    const body = JSON.stringify({ model: 'echo', messages: say('hi'), stream: true });
    const streamed = await fetch(url, {
      method: 'POST',
      headers: { ...headers, authorization },
      body,
    });
    expect(streamed.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(streamed.headers.get('access-control-allow-origin')).toBe(ALLOWED_PAGE);
    expect((await streamed.text()).endsWith('data: [DONE]\n\n')).toBe(true);
  });
}
