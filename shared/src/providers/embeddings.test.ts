import { describe, expect, it } from 'vitest';
import { startScriptedVendor } from '../testing/node/scripted-vendor.ts';
import { scriptedVector } from '../testing/vendors/embeddings.ts';
import { createScriptedFetch } from '../testing/vendors/scripted-fetch.ts';
import type { ScriptedVendor } from '../testing/vendors/scripted-requests.ts';
import type { EmbeddingModel } from './embedding-model.ts';
import { createOllamaEmbeddings } from './ollama/embeddings.ts';
import { createOpenAIEmbeddings } from './openai/embeddings.ts';
import { retriedEmbeddings } from './retried-embeddings.ts';
import { VendorError } from './vendor-error.ts';

const never = new AbortController().signal;

const MODELS: Readonly<Record<string, (vendor: ScriptedVendor) => EmbeddingModel>> = {
  'openai/text-embedding-3-small': ({ openaiBaseUrl: baseUrl, fetch }) =>
    createOpenAIEmbeddings({ apiKey: 'k', baseUrl, fetch }, 'text-embedding-3-small'),
  'ollama/nomic-embed-text': ({ ollamaHost: host, fetch }) =>
    createOllamaEmbeddings({ host, fetch }, 'nomic-embed-text'),
};

describe.each(Object.entries(MODELS))('embeddings of %s', (name, make) => {
  it.each([
    ['over HTTP', startScriptedVendor],
    ['in memory', async () => createScriptedFetch()],
  ])('FIND-20: come one for each text, in order, %s', async (_way, start) => {
    const vendor = await start();
    const model = make(vendor);
    expect(model.name).toBe(name);
    const texts = ['a river', 'the sea', 'a river'];
    const vectors = await model.embed(texts, never);
    for (const [at, text] of texts.entries()) {
      const wanted = scriptedVector(text);
      expect(vectors[at]).toHaveLength(wanted.length);
      for (const [place, number] of (vectors[at] ?? []).entries()) {
        expect(number).toBeCloseTo(wanted[place] ?? Number.NaN, 6);
      }
    }
    expect(vendor.requests[0]?.body).toMatchObject({ model: name.split('/')[1], input: texts });
    await vendor.close();
  });

  it.each([
    [401, 'refused', 'unavailable'],
    [404, 'refused', 'validation_failed'],
    [429, 'busy', 'unavailable'],
    [500, 'broken', 'upstream_failed'],
  ])('FIND-20: a status %i is `%s`', async (status, kind, code) => {
    const model = make(createScriptedFetch());
    const asked = model.embed([`[[embed-status ${status}]]`], never);
    await expect(asked).rejects.toMatchObject({ kind, code });
  });

  it('FIND-20: an address where nobody answers is `unreachable`', async () => {
    const vendor = await startScriptedVendor();
    const model = make(vendor);
    await vendor.close();
    await expect(model.embed(['a'], never)).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('FIND-20: an answer that is no list of vectors is `broken`', async () => {
    const body = { data: [], embeddings: [[1], [1, 2]] };
    const fetch = async () => Response.json(body);
    const model = make({ ...createScriptedFetch(), fetch });
    await expect(model.embed(['a', 'b'], never)).rejects.toMatchObject({ kind: 'broken' });
  });
});

describe('retried embeddings', () => {
  const failing = (kinds: readonly ('broken' | 'refused')[]) => {
    let asked = 0;
    const model: EmbeddingModel = {
      name: 'm',
      async embed() {
        const kind = kinds[asked];
        asked += 1;
        if (kind !== undefined) throw new VendorError(kind, 'upstream_failed', 'no');
        return [[1]];
      },
    };
    return { model, asked: () => asked };
  };
  const clock = { sleep: async () => undefined };

  it('FIND-21: ask again after what time may mend, and after nothing else', async () => {
    const mended = failing(['broken', 'broken']);
    expect(await retriedEmbeddings(mended.model, { clock }).embed(['a'], never)).toEqual([[1]]);
    expect(mended.asked()).toBe(3);
    for (const [kinds, times] of [
      [['broken', 'broken', 'broken'], 3],
      [['refused'], 1],
    ] as const) {
      const broken = failing(kinds);
      const asked = retriedEmbeddings(broken.model, { clock }).embed(['a'], never);
      await expect(asked).rejects.toMatchObject({ kind: kinds[0] });
      expect(broken.asked()).toBe(times);
    }
  });

  it('FIND-21: are not asked again once nobody waits', async () => {
    const stop = new AbortController();
    const broken = failing(['broken', 'broken', 'broken']);
    const aborting = { sleep: async () => stop.abort() };
    const asked = retriedEmbeddings(broken.model, { clock: aborting }).embed(['a'], stop.signal);
    await expect(asked).rejects.toMatchObject({ kind: 'broken' });
    expect(broken.asked()).toBe(1);
  });
});
