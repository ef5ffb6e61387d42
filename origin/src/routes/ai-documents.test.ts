import { readdir } from 'node:fs/promises';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePdf } from '../testing/make-pdf.ts';
import {
  addDocument,
  askRag,
  newRagCaller as newCaller,
  RAG_KEY,
  useRagApp,
} from '../testing/rag-app.ts';

const MAX_BYTES = 200_000;

const app = useRagApp({ MAX_DOCUMENT_BYTES: `${MAX_BYTES}` });

let site: Server;

beforeAll(async () => {
  site = createServer((request, response) => {
    if (request.url?.startsWith('/page') !== true) return void response.writeHead(404).end();
    response.setHeader('content-type', 'text/html; charset=iso-8859-1');
    response.end(Buffer.from('<title>Ein Blatt</title><p>Die Gr\xf6\xdfe z\xe4hlt.</p>', 'latin1'));
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void site.close());

type Asked = Parameters<typeof askRag> extends [unknown, ...infer Rest] ? Rest : never;
const ask = (...asked: Asked) => askRag(app(), ...asked);
const add = (subject: string, body: unknown, headers?: Record<string, string>) =>
  addDocument(app(), subject, body, headers);
const question = (subject: string, body: object) => ask('POST', '/ai/rag', subject, body);

/** A form of one file and some fields. */
function formOf(
  file: { name: string; type: string; content: Uint8Array | string },
  fields: object,
) {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--B\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--B\r\ncontent-disposition: form-data; name="file"; filename="${file.name}"\r\ncontent-type: ${file.type}\r\n\r\n`;
  return {
    body: Buffer.concat([
      Buffer.from(parts.join('') + head),
      Buffer.from(file.content),
      Buffer.from('\r\n--B--\r\n'),
    ]),
    headers: { 'content-type': 'multipart/form-data; boundary=B' },
  };
}

/** Files that wait to be read, or that nobody has deleted. */
async function filesLeft(): Promise<number> {
  const entries = await readdir(join(app().origin.folder, 'blobs'), {
    recursive: true,
    withFileTypes: true,
  });
  return entries.filter((entry) => entry.isFile()).length;
}

describe('documents', { timeout: 30_000 }, () => {
  it('RAG-10: what is answered with 201 can be found at once, read, listed and deleted', async () => {
    const subject = newCaller();
    const added = await add(subject, {
      text: '# Rivers\n\nThe Rhine begins in the Alps.',
      media_type: 'text/markdown',
      metadata: { shelf: 7 },
      source_url: 'https://example.com/rivers',
    });
    expect(added.status).toBe(201);
    const { document_id: id } = added.json;
    expect(added.headers['location']).toBe(`/ai/rag/documents/${id}`);
    expect(added.json).toEqual({
      document_id: expect.stringMatching(/^doc_/),
      title: 'Rivers',
      media_type: 'text/markdown',
      bytes: 39,
      chars: 37,
      passages: 1,
      embedded: 0,
      collection: 'default',
      source_url: 'https://example.com/rivers',
      metadata: { shelf: 7 },
      created_at: expect.stringMatching(/^\d{4}-/),
      status: 'ready',
      duplicate: false,
    });
    const answer = await question(subject, { query: 'Where does the Rhine begin?' });
    expect(answer.json).toMatchObject({
      found: true,
      citations: [
        {
          marker: '[1]',
          document_id: id,
          heading: 'Rivers',
          quote: expect.stringContaining('Alps'),
        },
      ],
      model: 'gpt-4',
      provider: 'openai',
      finish_reason: 'stop',
      processing_time: expect.any(Number),
    });
    const look = await ask('GET', `/ai/rag/documents/${id}?include=text`, subject);
    const { text } = look.json;
    const [{ start, end, quote }] = answer.json.citations;
    expect(text.slice(start, end)).toBe(quote);
    expect((await ask('GET', '/ai/rag/documents', subject)).json).toMatchObject({
      documents: [{ document_id: id }],
      next_after: null,
    });
    expect((await ask('DELETE', `/ai/rag/documents/${id}`, subject)).status).toBe(204);
    for (const method of ['GET', 'DELETE'] as const) {
      expect((await ask(method, `/ai/rag/documents/${id}`, subject)).status).toBe(404);
    }
    expect((await question(subject, { query: 'Where does the Rhine begin?' })).json).toMatchObject({
      found: false,
      citations: [],
      sources: [],
      model: null,
    });
  });

  it('RAG-11: the same file in the same collection is kept once', async () => {
    const subject = newCaller();
    const first = await add(subject, { text: 'The same words.' });
    const again = await add(subject, { text: 'The same words.' });
    expect(again).toMatchObject({ status: 200, json: { ...first.json, duplicate: true } });
    const other = await add(subject, { text: 'The same words.', collection: 'other' });
    expect(other).toMatchObject({ status: 201, json: { duplicate: false, collection: 'other' } });
  });

  it('RAG-11: nobody sees, finds or deletes the documents of another', async () => {
    const [owner, other] = [newCaller(), newCaller()];
    const { document_id: id } = (await add(owner, { text: 'Whales sing.' })).json;
    for (const [method, path] of [
      ['GET', `/ai/rag/documents/${id}`],
      ['GET', `/ai/rag/documents/${id}?include=text`],
      ['DELETE', `/ai/rag/documents/${id}`],
    ] as const) {
      expect((await ask(method, path, other)).status).toBe(404);
    }
    expect((await ask('GET', '/ai/rag/documents', other)).json.documents).toEqual([]);
    const asked = await question(other, { query: 'Do whales sing?', document_ids: [id] });
    expect(asked.json).toMatchObject({ found: false, sources: [] });
  });

  it('RAG-12: a file comes as a form, as base64, as a data: URL, or from where it lies', async () => {
    const subject = newCaller();
    const pdf = await makePdf([['Bees make honey.'], ['Wasps do not.']], 'Insects');
    const form = formOf(
      { name: 'x.pdf', type: 'application/pdf', content: pdf },
      { metadata: '{"a":[1]}', collection: 'c.1' },
    );
    expect((await add(subject, form.body, form.headers)).json).toMatchObject({
      title: 'Insects',
      media_type: 'application/pdf',
      bytes: pdf.length,
      metadata: { a: [1] },
      collection: 'c.1',
    });
    const cited = await question(subject, { query: 'What do wasps do?', collection: 'c.1' });
    expect(cited.json).toMatchObject({
      found: true,
      citations: [{ title: 'Insects', page: expect.any(Number), quote: 'Wasps do not.' }],
    });
    const notes = formOf(
      { name: 'notes.md', type: '', content: '# Notes\n\nwords' },
      { title: 'Mine' },
    );
    expect((await add(subject, notes.body, notes.headers)).json).toMatchObject({
      title: 'Mine',
      media_type: 'text/markdown',
    });
    const base64 = Buffer.from('<p>Hello <b>there</b>').toString('base64');
    expect((await add(subject, { content: base64, media_type: 'text/html' })).json.media_type).toBe(
      'text/html',
    );
    expect(
      (await add(subject, { content: `data:text/html;base64,${base64}`, collection: 'd' })).json
        .media_type,
    ).toBe('text/html');
    const { port } = site.address() as AddressInfo;
    const fetched = await add(subject, { url: `http://127.0.0.1:${port}/page?token=secret` });
    expect(fetched.json).toMatchObject({
      title: 'Ein Blatt',
      media_type: 'text/html',
      source_url: `http://127.0.0.1:${port}/page`,
    });
    const { document_id: id } = fetched.json;
    expect((await ask('GET', `/ai/rag/documents/${id}?include=text`, subject)).json.text).toBe(
      'Die Größe zählt.',
    );
    expect(await filesLeft()).toBe(0);
  });

  it.each([
    ['no source', {}, 400],
    ['two sources', { text: 'a', url: 'https://example.com' }, 400],
    ['an empty text', { text: '' }, 400],
    ['a text of blanks', { text: ' \n ' }, 400],
    ['a text that is none', { text: 7 }, 400],
    ['an unknown field', { text: 'a', colection: 'x' }, 400],
    ['a bad collection', { text: 'a', collection: 'a/b' }, 400],
    ['a source that is a program', { text: 'a', source_url: 'javascript:alert(1)' }, 400],
    ['no base64', { content: '%%%' }, 400],
    ['a private address', { url: 'https://10.0.0.1/x' }, 400],
    ['a broken PDF', { content: Buffer.from('%PDF-1.7\nbroken').toString('base64') }, 400],
    ['a picture', { content: Buffer.from('\x89PNG\r\n\x1a\n', 'latin1').toString('base64') }, 415],
    ['a type that cannot be read', { text: 'a', media_type: 'application/msword' }, 415],
    ['more metadata than is kept', { text: 'a', metadata: { a: 'x'.repeat(20_000) } }, 400],
    ['more bytes than are taken', { text: 'a'.repeat(MAX_BYTES + 1) }, 413],
    ['more bytes of JSON than any document has', { text: 'a'.repeat(2_000_000) }, 413],
  ])('RAG-13: %s is refused, and nothing is left', async (_name, body, status) => {
    const subject = newCaller();
    const refused = await add(subject, body);
    expect([refused.status, refused.text]).toEqual([status, expect.stringContaining('"error"')]);
    expect(await filesLeft()).toBe(0);
    expect((await ask('GET', '/ai/rag/documents', subject)).json.documents).toEqual([]);
  });

  it('RAG-13: 100 MB that are announced are refused before they are sent', async () => {
    const address = await app().origin.app.listen({ port: 0, host: '127.0.0.1' });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = httpRequest(`${address}/ai/rag/documents`, {
        method: 'POST',
        headers: {
          'x-api-key': RAG_KEY,
          'x-headwater-subject': newCaller(),
          'content-type': 'multipart/form-data; boundary=B',
          'content-length': 100_000_000,
        },
      });
      sent.on('response', (response) => {
        resolve(response.statusCode);
        response.resume();
        sent.destroy();
      });
      sent.on('error', reject);
      sent.flushHeaders();
    });
    expect(status).toBe(413);
    expect(await filesLeft()).toBe(0);
  });

  it('RAG-14: the list comes in pages, newest first, and by collection', async () => {
    const subject = newCaller();
    const ids: string[] = [];
    for (const text of ['one', 'two', 'three'])
      ids.unshift((await add(subject, { text })).json.document_id);
    await add(subject, { text: 'four', collection: 'other' });
    const first = (await ask('GET', '/ai/rag/documents?limit=2&collection=default', subject)).json;
    expect(first.documents.map((one: { document_id: string }) => one.document_id)).toEqual(
      ids.slice(0, 2),
    );
    const rest = (
      await ask(
        'GET',
        `/ai/rag/documents?limit=2&collection=default&after=${first.next_after}`,
        subject,
      )
    ).json;
    expect(rest).toMatchObject({ documents: [{ document_id: ids[2] }], next_after: null });
    expect((await ask('GET', '/ai/rag/documents?limit=0', subject)).status).toBe(400);
  });
});
