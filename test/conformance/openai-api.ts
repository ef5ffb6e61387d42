/** OpenAI's API, as its own SDK sees it: answers, tools, images, models. */

import { NotFoundError } from '@headwater/shared/testing/openai-client';
import {
  FIXED_ANSWER,
  scriptedPrompt,
  scriptedUsage,
} from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { askedWith, type OpenAICaller, openaiCaller, say } from '../hosts/openai-caller.ts';
import type { World } from '../hosts/world.ts';

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

type Chunk = Awaited<ReturnType<typeof readAll>>[number];

async function readAll(
  client: OpenAICaller,
  params: { model: string; content: string; usage?: true },
) {
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
  const clientOf = (subject: string) => openaiCaller(world(), subject);
  const bodyWith = (text: string) =>
    askedWith(world(), text).at(-1)?.body as Record<string, unknown>;

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
}
