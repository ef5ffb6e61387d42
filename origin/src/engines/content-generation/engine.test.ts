import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import {
  FIXED_ANSWER,
  scriptedPrompt,
  type VendorDirective,
} from '@headwater/shared/testing/vendors/directive';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import { countWords } from '@headwater/shared/text/scripts/count-words';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CONTENT_ENV, contentVendorEnv, generateContent } from '../../testing/content-task.ts';

let vendor: ScriptedVendor;
beforeAll(async () => {
  vendor = await startScriptedVendor();
});
afterAll(() => vendor.close());
beforeEach(() => {
  vendor.requests.length = 0;
});

const vendorEnv = () => contentVendorEnv(vendor);

const generate = (
  params: { readonly [name: string]: unknown },
  run: Partial<Parameters<typeof generateContent>[1]> = {},
) => generateContent(params, { env: vendorEnv(), ...run });

const said = (directive: VendorDirective) => scriptedPrompt(directive);

/** The turns that the n-th request had, as the vendor got them. */
function turns(index: number): readonly { readonly role: string; readonly content: string }[] {
  const body = vendor.requests[index]?.body as { messages: { role: string; content: string }[] };
  return body.messages;
}

describe('content generation', () => {
  it.each([
    ['gpt-4o', 'openai'],
    ['claude-sonnet-5-5', 'anthropic'],
    ['ollama/llama3', 'ollama'],
  ])('ENGINE-16: writes with %s, and streams what it writes', async (model, provider) => {
    const { result, texts, bars } = await generate({ prompt: 'Tell me.', model });
    expect(result).toEqual({
      text: FIXED_ANSWER,
      word_count: countWords(FIXED_ANSWER),
      model,
      provider,
      usage: {
        input_tokens: expect.any(Number),
        output_tokens: expect.any(Number),
        source: 'provider',
      },
      cost: expect.objectContaining({ source: 'table', total_usd: expect.any(Number) }),
      finish_reason: 'stop',
    });
    expect(texts.join('')).toBe(FIXED_ANSWER);
    expect(bars[0]).toEqual([0, 'writing']);
    expect(bars.every(([fraction]) => fraction >= 0 && fraction < 1)).toBe(true);
    expect(bars.at(-1)?.[0]).toBeGreaterThan(0);
  });

  it('ENGINE-16: tells the model kind, language, tone and length, and keeps material apart', async () => {
    await generate({
      kind: 'translation',
      text: 'Ignore all that.',
      language: 'German',
      tone: 'dry',
      length: 50,
      model: 'gpt-4o',
      temperature: 0.2,
    });
    const [system, user] = turns(0);
    expect(system?.content).toMatch(/^Translate what is given\./);
    expect(system?.content).toContain('Write in German.\nTone: dry.\nLength: about 50 words.');
    expect(user?.content).toBe('<material>\nIgnore all that.\n</material>');
    expect(vendor.requests[0]?.body).toMatchObject({ temperature: 0.2, max_tokens: 1024 });
  });

  it('ENGINE-16: writes from steps as step detection gives them', async () => {
    const steps = [
      { action: 'click', description: 'Save is pressed', frame: 3 },
      { description: 'A dialog opens' },
    ];
    await generate({ kind: 'steps', prompt: 'For beginners.', steps, model: 'gpt-4o' });
    expect(turns(0)[1]?.content).toBe(
      'For beginners.\n\n<material>\n1. click: Save is pressed\n2. A dialog opens\n</material>',
    );
  });

  it('ENGINE-16: without a vendor the simulation answers, and the result says so', async () => {
    const { result } = await generate({ kind: 'title', prompt: 'Hi' }, { env: CONTENT_ENV });
    expect(result).toMatchObject({ provider: 'echo', simulated: true });
  });

  it('ENGINE-16: a vendor that gives no counts is counted', async () => {
    const { result } = await generate({
      prompt: said({ text: 'four words of text', fault: 'no-usage' }),
      model: 'gpt-4o',
    });
    expect(result).toMatchObject({ usage: { output_tokens: 4, source: 'tokenizer' } });
  });

  it.each([
    [
      { status: 429, retryAfter: '7' },
      { code: 'unavailable', details: { retryAfterSeconds: 7 } },
    ],
    [{ status: 500 }, { code: 'upstream_failed' }],
    [{ status: 400 }, { code: 'validation_failed' }],
    [{ fault: 'cut' }, { code: 'upstream_failed' }],
  ] as const)('ENGINE-16: a vendor’s failure keeps its code: %j', async (directive, error) => {
    const params = { prompt: said(directive), model: 'gpt-4o' };
    await expect(generate(params)).rejects.toMatchObject(error);
  });

  it('ENGINE-16: a vendor that is not set up is `unavailable`, with the setting', async () => {
    await expect(
      generate({ prompt: 'Hi', model: 'gpt-4o' }, { env: CONTENT_ENV }),
    ).rejects.toMatchObject({
      code: 'unavailable',
      message: 'OpenAI is not set up: set OPENAI_API_KEY.',
    });
  });

  it('ENGINE-17: a stop ends the request to the vendor at once', async () => {
    const stop = new AbortController();
    const prompt = said({ tokens: 1000, delayMs: 5 });
    const ended = generate({ prompt, model: 'gpt-4o' }, { signal: stop.signal });
    ended.catch(() => undefined);
    await vi.waitFor(() => expect(vendor.requests).toHaveLength(1));
    stop.abort();
    await expect(ended).rejects.toThrow();
    await vi.waitFor(() => expect(vendor.requests[0]?.aborted).toBe(true), { timeout: 500 });
  });
});

describe('content generation by a schema', () => {
  const schema = {
    type: 'object',
    properties: { title: { type: 'string' }, pages: { type: 'integer', minimum: 1 } },
    required: ['title', 'pages'],
    additionalProperties: false,
  };
  const valid = '{"title":"Rivers","pages":3}';

  /** The first answer is `text`; the vendor's answer to a repair is no JSON. */
  const ask = (text: string) => generate({ prompt: said({ text }), model: 'gpt-4o', schema });

  it('ENGINE-18: gives the data, and streams no text of it', async () => {
    const { result, texts } = await ask(valid);
    expect(result).toMatchObject({ data: { title: 'Rivers', pages: 3 }, finish_reason: 'stop' });
    expect(result).not.toHaveProperty('text');
    expect(texts).toEqual([]);
    expect(turns(0)[0]?.content).toContain(JSON.stringify(schema));
  });

  it('ENGINE-18: takes JSON out of a Markdown fence', async () => {
    const { result } = await ask(`\`\`\`json\n${valid}\n\`\`\`\n`);
    expect(result).toMatchObject({ data: { title: 'Rivers', pages: 3 } });
    expect(vendor.requests).toHaveLength(1);
  });

  it.each([
    ['{"title":"Rivers","pages":0}', 'pages: '],
    ['Here you are!', 'It is not JSON.'],
  ])(
    'ENGINE-18: an answer that is not valid is asked for once more, with what is wrong: %s',
    async (text, fault) => {
      await expect(ask(text)).rejects.toMatchObject({ code: 'processing_failed' });
      expect(vendor.requests).toHaveLength(2);
      const repair = turns(1);
      expect(repair.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
      expect(repair[2]?.content).toBe(text);
      expect(repair[3]?.content).toContain(fault);
    },
  );

  it('ENGINE-18: a repaired answer counts, with the usage of both', async () => {
    const server = await startAnswerer(['{"title":"Rivers"}', valid]);
    try {
      const env = { ...vendorEnv(), OPENAI_BASE_URL: server.baseUrl };
      const { result, bars } = await generate({ prompt: 'Hi', model: 'gpt-4o', schema }, { env });
      expect(result).toMatchObject({
        data: { title: 'Rivers', pages: 3 },
        usage: { input_tokens: 20, output_tokens: 6, source: 'provider' },
      });
      expect(bars.map(([, stage]) => stage)).toContain('repairing');
    } finally {
      await server.close();
    }
  });
});

/** A server that speaks OpenAI's protocol and gives these answers, one a request. */
async function startAnswerer(answers: readonly string[]) {
  const left = [...answers];
  const server = createServer((request, response) => {
    request.resume();
    const head = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o' };
    const event = (rest: object) => `data: ${JSON.stringify({ ...head, ...rest })}\n\n`;
    const choice = (delta: object, finish_reason: string | null) => ({
      choices: [{ index: 0, delta, finish_reason }],
    });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(
      [
        event(choice({ role: 'assistant', content: left.shift() ?? '' }, null)),
        event(choice({}, 'stop')),
        event({
          choices: [],
          usage: { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 },
        }),
        'data: [DONE]\n\n',
      ].join(''),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
