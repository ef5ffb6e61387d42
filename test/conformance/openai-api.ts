/** OpenAI's API, as its own SDK sees it. */

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
  FIXED_ANSWER,
  scriptedAnswer,
  scriptedPrompt,
  scriptedSent,
  scriptedUsage,
} from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { callerToken } from '../hosts/gateway-client.ts';
import { ALLOWED_PAGE, type World } from '../hosts/world.ts';

const MODELS = ['gpt-4o', 'claude-sonnet-5-5'] as const;

/** A 1 × 1 PNG. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

type Client = ReturnType<typeof createOpenAIClient>;
type Chunk = Awaited<ReturnType<typeof readAll>>[number];

const say = (content: string) => [{ role: 'user' as const, content }];

async function readAll(client: Client, params: { model: string; content: string; usage?: true }) {
  const stream = await client.chat.completions.create({
    model: params.model,
    messages: say(params.content),
    stream: true,
    ...(params.usage ? { stream_options: { include_usage: true } } : {}),
  });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const textOf = (chunks: readonly Chunk[]) =>
  chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');

/** Adds the tests. */
export function describeOpenAIApi(world: () => World): void {
  /** The SDK, as a subject of its own. */
  async function clientOf(subject: string): Promise<Client> {
    const apiKey = await callerToken(`openai-${subject}`);
    return createOpenAIClient({ baseURL: `${world().host.baseUrl}/v1`, apiKey });
  }

  async function hostOf(): Promise<string> {
    const response = await fetch(`${world().host.baseUrl}/health`);
    return ((await response.json()) as { host: string }).host;
  }

  const askedWith = (text: string) =>
    world().vendor.requests.filter(({ body }) => JSON.stringify(body ?? null).includes(text));

  const bodyWith = (text: string) => askedWith(text).at(-1)?.body as Record<string, unknown>;

  for (const model of MODELS) {
    it(`OPENAI-3: ${model}: a stream brings the vendor's text exactly, its reason and its usage`, async () => {
      const content = scriptedPrompt({ bytesPerWrite: 7 }, `Tell ${model}.`);
      const client = await clientOf('stream');
      const chunks = await readAll(client, { model, content, usage: true });
      expect(textOf(chunks)).toBe(FIXED_ANSWER);
      expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
      expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
      const { inputTokens, outputTokens } = scriptedUsage(content);
      expect(chunks.at(-1)).toMatchObject({
        object: 'chat.completion.chunk',
        choices: [],
        usage: {
          prompt_tokens: inputTokens,
          completion_tokens: outputTokens,
          total_tokens: inputTokens + outputTokens,
        },
      });
      expect(new Set(chunks.map((chunk) => `${chunk.id} ${chunk.model}`)).size).toBe(1);
      expect(chunks[0]).toMatchObject({ model, id: expect.stringMatching(/^chatcmpl-.{8,}/) });
      expect(textOf(await readAll(client, { model, content }))).toBe(FIXED_ANSWER);
    });

    it(`OPENAI-4: ${model}: without \`stream\` the same answer comes whole`, async () => {
      const client = await clientOf('whole');
      const content = scriptedPrompt({}, `Tell all, ${model}.`);
      const { data, response, request_id } = await client.chat.completions
        .create({ model, messages: say(content) })
        .withResponse();
      const { inputTokens, outputTokens } = scriptedUsage(content);
      expect(data).toMatchObject({
        object: 'chat.completion',
        model,
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: FIXED_ANSWER },
            finish_reason: 'stop',
          },
        ],
        usage: { prompt_tokens: inputTokens, completion_tokens: outputTokens },
      });
      expect(request_id).toMatch(/^[\w.:-]{8,}$/);
      expect(response.headers.get('x-request-id')).toBe(request_id);
      const short = await client.chat.completions.create({
        model,
        messages: say(content),
        max_tokens: 3,
      });
      expect(short.choices[0]?.finish_reason).toBe('length');
    });

    it(`OPENAI-10: ${model}: a tool is asked for, and its result goes back in the vendor's shape`, async () => {
      const client = await clientOf('tools');
      const city = `Zürich of ${model}`;
      const args = JSON.stringify({ city });
      const content = scriptedPrompt({ toolCalls: [{ name: 'weather', arguments: args }] });
      const params = { model, tools: [WEATHER], tool_choice: 'required' as const };
      const whole = await client.chat.completions.create({ ...params, messages: say(content) });
      const [choice] = whole.choices;
      expect(choice?.finish_reason).toBe('tool_calls');
      const [call] = choice?.message.tool_calls ?? [];
      if (call?.type !== 'function' || choice === undefined) throw new Error('no tool call');
      expect(call.function).toEqual({ name: 'weather', arguments: args });

      const stream = client.chat.completions.stream({ ...params, messages: say(content) });
      const streamed = (await stream.finalChatCompletion()).choices[0]?.message.tool_calls;
      expect(streamed).toMatchObject([{ id: call.id, function: call.function }]);

      const result = `sunny for ${model}`;
      const end = await client.chat.completions.create({
        ...params,
        tool_choice: 'auto',
        messages: [
          ...say(content),
          choice.message,
          { role: 'tool', tool_call_id: call.id, content: result },
          ...say(`And now? ${model}`),
        ],
      });
      expect(end.choices[0]?.message.content).toBe(FIXED_ANSWER);
      const body = JSON.stringify(bodyWith(result));
      if (model === 'gpt-4o') {
        expect(bodyWith(result)).toMatchObject({ tools: [WEATHER], tool_choice: 'auto' });
        expect(body).toContain(`"tool_call_id":${JSON.stringify(call.id)}`);
      } else {
        expect(bodyWith(result)).toMatchObject({
          tools: [{ name: 'weather', input_schema: WEATHER.function.parameters }],
          tool_choice: { type: 'auto' },
        });
        expect(body).toContain('"type":"tool_use"');
        expect(body).toContain(`"tool_use_id":${JSON.stringify(call.id)}`);
      }
    });

    it(`OPENAI-10: ${model}: images reach the vendor`, async () => {
      const client = await clientOf('images');
      const question = `What is it, ${model}?`;
      const answer = await client.chat.completions.create({
        model,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: question },
              { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
            ],
          },
        ],
      });
      expect(answer.choices[0]?.message.content).toBe(FIXED_ANSWER);
      const sent = JSON.stringify(bodyWith(question));
      expect(sent).toContain(PIXEL);
      expect(sent).toContain(
        model === 'gpt-4o' ? '"image_url":{"url":"data:image/png' : '"media_type":"image/png"',
      );
    });

    it(`OPENAI-1: ${model}: system words, stop words and sampling reach the vendor`, async () => {
      const client = await clientOf('params');
      const content = `Say it, ${model}.`;
      await client.chat.completions.create({
        model,
        messages: [{ role: 'developer', content: 'Be brief.' }, ...say(content)],
        stop: ['END', 'FIN'],
        top_p: 0.5,
        max_completion_tokens: 77,
      });
      expect(bodyWith(content)).toMatchObject(
        model === 'gpt-4o'
          ? {
              messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user' }],
              stop: ['END', 'FIN'],
              top_p: 0.5,
              max_tokens: 77,
            }
          : { stop_sequences: ['END', 'FIN'], max_tokens: 77 },
      );
    });
  }

  it('OPENAI-1: what the gateway does not know reaches OpenAI word for word', async () => {
    const client = await clientOf('unknown');
    const response_format = {
      type: 'json_schema' as const,
      json_schema: { name: 'x', schema: { type: 'object' } },
    };
    const content = 'As JSON, please.';
    await client.chat.completions.create({
      model: 'gpt-4o',
      messages: say(content),
      response_format,
      seed: 7,
      user: 'end-user-1',
    });
    expect(bodyWith(content)).toMatchObject({ response_format, seed: 7, user: 'end-user-1' });
  });

  it('OPENAI-1: `echo` answers the same SDK', async () => {
    const client = await clientOf('echo');
    const chunks = await readAll(client, { model: 'echo', content: 'Say this back.' });
    expect(textOf(chunks)).toContain('Say this back.');
  });

  for (const stream of [true, false]) {
    it(`OPENAI-8: a caller that leaves ${stream ? 'a stream' : 'a whole answer'} stops the request to the model`, async (context) => {
      if (!stream && (await hostOf()) === 'edge') {
        context.skip('wrangler dev tells a Worker that its caller has left only when it writes');
      }
      const client = await clientOf('leave');
      const content = scriptedPrompt({ tokens: 500, delayMs: 20 }, `Leave ${stream}.`);
      const leave = new AbortController();
      const params = { model: 'gpt-4o', messages: say(content) };
      const asked = () => askedWith(`Leave ${stream}.`);
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

  it('OPENAI-11: the models are listed by the names that can be asked for', async () => {
    const client = await clientOf('models');
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toEqual(expect.arrayContaining(['gpt-4', 'claude-sonnet-5-5', 'echo']));
    expect(ids).not.toContain('text-embedding-3-small');
    const slashed = ids.find((id) => id.includes('/'));
    for (const id of ['echo', ...(slashed === undefined ? [] : [slashed])]) {
      expect(await client.models.retrieve(id)).toMatchObject({ id, object: 'model' });
    }
    await expect(client.models.retrieve('no-such')).rejects.toBeInstanceOf(NotFoundError);
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
