import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { afterEach, describe, expect, it } from 'vitest';
import { withInputFolder } from '../testing/input-folder.ts';
import { deflated, makePdf, onePage } from '../testing/make-pdf.ts';
import {
  createDocumentReader,
  type DocumentReader,
  type DocumentReaderOptions,
} from './document-reader.ts';

const OPEN = new AbortController().signal;
const MIB = 1024 * 1024;
const readers: DocumentReader[] = [];
const logger = createSilentLogger();

afterEach(async () => {
  await Promise.all(readers.splice(0).map((reader) => reader.close()));
});

function makeReader(options: Partial<DocumentReaderOptions> = {}): DocumentReader {
  const reader = createDocumentReader({ logger, env: process.env, ...options });
  readers.push(reader);
  return reader;
}

/** Reads bytes, and gives what came of it: the document, or the code and the message. */
function read(
  content: string | Uint8Array,
  {
    fileName,
    mediaType,
    ...options
  }: Partial<DocumentReaderOptions> & { fileName?: string; mediaType?: string } = {},
) {
  return withInputFolder(async ({ path: folder }) => {
    const path = join(folder, 'file');
    await writeFile(path, content);
    try {
      const document = await makeReader(options).read({ path, fileName, mediaType }, OPEN);
      return { code: 'read', message: '', ...document };
    } catch (thrown) {
      const { code, message } = thrown as { code: string; message: string };
      return { code, message, text: '', passages: [] };
    }
  });
}

describe('a document reader', () => {
  it('RAG-1: gives the text, what the document calls itself, and passages that hold all of it', async () => {
    const words = Array.from({ length: 900 }, (_, at) => `This is sentence ${at} of them.`);
    const document = await read(`---\ntitle: All\n---\n# Head\n\n${words.join(' ')}`, {
      fileName: 'a.md',
    });
    expect(document).toMatchObject({ mediaType: 'text/markdown', title: 'All', heading: 'Head' });
    const { text, passages } = document;
    expect(passages.length).toBeGreaterThan(5);
    const left = [...text];
    for (const { start, end } of passages) left.fill(' ', start, end);
    expect(left.join('').trim()).toBe('');
  });

  it('RAG-3: what a document is at fault for is told as that', async () => {
    const pdf = await makePdf([['hello']]);
    expect(await read(pdf)).toMatchObject({ mediaType: 'application/pdf', text: 'hello' });
    expect(await read(pdf.subarray(0, 400))).toMatchObject({
      code: 'validation_failed',
      message: 'The PDF is damaged, or incomplete.',
    });
    expect(await read(' \n ')).toMatchObject({ code: 'validation_failed' });
  });

  it('RAG-4: a deflate bomb ends its reader alone', async () => {
    // 1.5 GB of blanks in 1.5 KB.
    const blanks = Buffer.alloc(64 * MIB, ' ');
    const bomb = onePage(deflated(Buffer.concat(Array.from({ length: 4 }, () => blanks)), 2));
    expect(bomb.length).toBeLessThan(64 * 1024);
    const { code = '' } = await read(bomb, { residentBytes: 300 * MIB });
    expect(['processing_failed', 'validation_failed']).toContain(code);
  }, 60_000);

  it('RAG-4: text beyond its bounds is `payload_too_large`', async () => {
    expect(await read('a word '.repeat(1_500_000))).toMatchObject({ code: 'payload_too_large' });
  });

  it.each([
    ['hangs', 'for (;;) {}', { timeoutMs: 700 }, 'within 0.7 seconds'],
    ['crashes', 'process.exit(3)', {}, 'could not be read'],
    [
      'fills its heap',
      'const all = []; for (;;) all.push(new Array(1000).fill(Math.random()))',
      { heapBytes: 32 * MIB },
      'too much memory',
    ],
    [
      'takes memory outside of its heap',
      'const all = []; setInterval(() => all.push(Buffer.alloc(30e6, 1)), 5)',
      { residentBytes: 250 * MIB },
      'too much memory',
    ],
    [
      'lies',
      `process.send({ type: 'done', attempt: 1, result: { text: 'x', passages: [{ start: 0, end: 9, heading: '' }] } })`,
      {},
      'could not be read',
    ],
  ])(
    'RAG-4: a reader that %s costs its document alone',
    async (_name, program, options, words) => {
      await withInputFolder(async ({ path: folder }) => {
        const entry = join(folder, 'reader.mjs');
        await writeFile(
          entry,
          `process.on('message', () => { ${program} }); process.send({ type: 'ready' });`,
        );
        expect(await read('hello', { entry, ...options })).toMatchObject({
          code: 'processing_failed',
          message: expect.stringContaining(words),
        });
      });
      expect(await read('hello')).toMatchObject({ text: 'hello' });
    },
    30_000,
  );

  it('RAG-4: a reader can neither write nor start anything, and has no key', async () => {
    await withInputFolder(async ({ path: folder }) => {
      const entry = join(folder, 'reader.mjs');
      const target = join(folder, 'written');
      await writeFile(
        entry,
        `import { writeFileSync } from 'node:fs'; import { spawnSync } from 'node:child_process';
        const tried = [];
        try { writeFileSync(${JSON.stringify(target)}, 'x'); tried.push('wrote'); } catch (e) { tried.push(e.code); }
        try { spawnSync('true'); tried.push('spawned'); } catch (e) { tried.push(e.code); }
        tried.push(Object.keys(process.env).filter((name) => /KEY|SECRET|URL/.test(name)).join());
        process.on('message', () => process.send({ type: 'failed', attempt: 1, code: 'conflict', message: tried.join(' ') }));
        process.send({ type: 'ready' });`,
      );
      const env = { ...process.env, OPENAI_API_KEY: 'sk', JWT_SECRET: 's', DATABASE_URL: 'd' };
      expect(await read('hello', { entry, env })).toMatchObject({
        code: 'conflict',
        message: 'ERR_ACCESS_DENIED ERR_ACCESS_DENIED ',
      });
    });
  });

  it('RAG-5: beyond those that may wait a document is `unavailable`, with a time to come back', async () => {
    await withInputFolder(async ({ path: folder }) => {
      const entry = join(folder, 'reader.mjs');
      await writeFile(entry, `process.on('message', () => {}); process.send({ type: 'ready' });`);
      const path = join(folder, 'file');
      await writeFile(path, 'hello');
      const reader = makeReader({ entry, maxReaders: 1, maxWaiting: 1 });
      const leave = new AbortController();
      const first = reader.read({ path }, leave.signal).catch((error) => error.code);
      const second = reader.read({ path }, leave.signal).catch((error) => error.code);
      await expect
        .poll(() => {
          try {
            reader.checkRoom();
            return 'room';
          } catch (thrown) {
            return thrown;
          }
        })
        .toMatchObject({ code: 'unavailable', details: { retryAfterSeconds: 5 } });
      leave.abort();
      expect(await Promise.all([first, second])).toEqual(['unavailable', 'unavailable']);
      expect(() => reader.checkRoom()).not.toThrow();
    });
  });
});
