import { expect, it } from 'vitest';
import { eventsOf, postForText, textIn } from './generating.ts';
import { MAX_DOCUMENT_BYTES, type WordWorld } from './word-world.ts';

const RURITANIA = `# Ruritania

Ruritania lies between two rivers.

## Cities

The capital of Ruritania is Strelsau. It has a castle and a railway station.

## Trade

Its people sell timber and clocks.
`;

const DOCUMENTS = '/ai/rag/documents';

export function describeFinding(world: () => WordWorld): void {
  it('RAG-23: answers from a document, and says from where', async () => {
    const caller = await world().caller('finds');
    const added = await caller.ask('POST', DOCUMENTS, {
      text: RURITANIA,
      title: 'Ruritania',
      media_type: 'text/markdown',
    });
    expect(added.status).toBe(201);
    const { document_id: id } = added.body;
    const { status, body } = await caller.ask('POST', '/ai/rag', {
      query: 'Is the capital called Strelsau?',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ found: true, citations: [{ document_id: id }] });
    expect(body['answer']).toContain('Strelsau');
    const kept = await caller.ask<{ text: string }>('GET', `${DOCUMENTS}/${id}?include=text`);
    const [citation] = body['citations'] as { start: number; end: number; quote: string }[];
    expect(kept.body.text.slice(citation?.start, citation?.end)).toContain('Strelsau');
  });

  it('RAG-24: what is not in the documents is said to be not there', async () => {
    const caller = await world().caller('finds-not');
    const none = await caller.ask('POST', '/ai/rag', { query: 'Where is Zenda?' });
    expect(none.body).toMatchObject({ found: false, citations: [], sources: [] });
    await caller.ask('POST', DOCUMENTS, { text: RURITANIA, title: 'Ruritania' });
    const { body } = await caller.ask('POST', '/ai/rag', {
      query: 'Who sells timber and clocks in Montenegro?',
    });
    expect(body).toMatchObject({ found: false, citations: [] });
    expect(JSON.stringify(body)).not.toContain('NOT_IN_DOCUMENTS');
  });

  it('RAG-25: streams: the sources first, then the answer', async () => {
    const caller = await world().caller('finds-streaming');
    await caller.ask('POST', DOCUMENTS, { text: RURITANIA, title: 'Ruritania' });
    const query = 'Is the capital called Strelsau?';
    const { text } = await postForText(world(), caller.headers, '/ai/rag', { query, stream: true });
    const [note, ...events] = eventsOf(text);
    expect(note).toMatchObject({ type: 'note', name: 'sources' });
    expect(textIn(events)).toContain('Strelsau');
  });

  it('RAG-10, RAG-11: a document is its owner’s own, kept once, and gone once it is deleted', async () => {
    const [one, other] = [await world().caller('owns-text'), await world().caller('wants-text')];
    const { body } = await one.ask('POST', DOCUMENTS, { text: RURITANIA, title: 'Ruritania' });
    const again = await one.ask('POST', DOCUMENTS, { text: RURITANIA, title: 'Ruritania' });
    expect(again).toMatchObject({ status: 200, body: { document_id: body['document_id'] } });
    const path = `${DOCUMENTS}/${body['document_id']}`;
    expect((await other.ask('GET', path)).status).toBe(404);
    const stolen = await other.ask('POST', '/ai/rag', {
      query: 'Is the capital called Strelsau?',
    });
    expect(stolen.body).toMatchObject({ found: false, sources: [] });
    expect((await other.ask('DELETE', path)).status).toBe(404);
    expect((await one.ask('DELETE', path)).status).toBeLessThan(300);
    const after = await one.ask('POST', '/ai/rag', { query: 'Is the capital called Strelsau?' });
    expect(after.body).toMatchObject({ found: false, sources: [] });
  });

  it('RAG-3, RAG-12, RAG-13: takes a file as a form, and refuses what is none or too long', async () => {
    const caller = await world().caller('sends-files');
    const form = new FormData();
    form.set(
      'file',
      new Blob(['<html><h1>Zenda</h1><p>The prisoner of Zenda.</p>'], { type: 'text/html' }),
      'zenda.html',
    );
    expect((await caller.ask('POST', DOCUMENTS, form)).status).toBe(201);
    const broken = new FormData();
    broken.set('file', new Blob(['%PDF-1.7\nnothing of it'], { type: 'application/pdf' }), 'a.pdf');
    expect(await caller.ask('POST', DOCUMENTS, broken)).toMatchObject({
      status: 400,
      body: { error: { code: 'validation_failed' } },
    });
    const huge = new FormData();
    huge.set('file', new Blob([new Uint8Array(2 * MAX_DOCUMENT_BYTES).fill(97)]), 'huge.txt');
    expect((await caller.ask('POST', DOCUMENTS, huge)).status).toBe(413);
  });
}
