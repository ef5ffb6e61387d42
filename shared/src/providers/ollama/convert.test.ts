import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../testing/vendors/decode-body.ts';
import { createNdjsonDecoder } from '../ndjson-body.ts';
import { createOllamaConverter } from './convert.ts';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`./__fixtures__/${name}`, import.meta.url)));
const decode = (bytes: Uint8Array, bytesPerRead?: number) =>
  decodeBody(createNdjsonDecoder(createOllamaConverter()), bytes, bytesPerRead);

describe('ollama objects', () => {
  it.each([undefined, 1, 5, 13])(
    'PROV-3: become the same model events however the bytes are cut (%s a read)',
    (bytesPerRead) => {
      const { text, others, error } = decode(fixture('answer.ndjson'), bytesPerRead);
      expect(error).toBeUndefined();
      expect(text).toBe('  Héllo,\n漢字 🌊');
      expect(others).toEqual([
        { type: 'usage', inputTokens: 26, outputTokens: 9 },
        { type: 'finish', reason: 'stop' },
      ]);
    },
  );

  it('PROV-6: an error object fails the answer after the text before it', () => {
    const { text, error } = decode(fixture('error.ndjson'));
    expect(text).toBe('Half');
    expect(error).toMatchObject({ code: 'upstream_failed' });
  });

  it('PROV-7: the last line counts without its newline', () => {
    const bytes = new TextEncoder().encode('{"done":true,"done_reason":"length"}');
    expect(decode(bytes).events).toEqual([{ type: 'finish', reason: 'length' }]);
  });
});
