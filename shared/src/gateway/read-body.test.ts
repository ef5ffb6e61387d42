import { describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES } from '../protocol/init-stream.ts';
import { readBodyText } from './read-body.ts';

const encoder = new TextEncoder();

/** A request whose body comes in pieces, without a declared length. */
function inPieces(pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void) {
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull,
    cancel() {
      isCancelled = true;
    },
  });
  const init = { method: 'POST', body, duplex: 'half' };
  return {
    request: new Request('https://edge.example/', init as RequestInit),
    isCancelled: () => isCancelled,
  };
}

describe('a request body', () => {
  it('is text, also where a character was cut in two', async () => {
    const bytes = encoder.encode('é \u{1F30A}');
    let at = 0;
    const { request } = inPieces((controller) => {
      if (at === bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, ++at));
    });
    expect(await readBodyText(request)).toBe('é \u{1F30A}');
    expect(await readBodyText(new Request('https://edge.example/'))).toBe('');
  });

  it('INIT-4: may have 2 MiB, and not a byte more', async () => {
    const send = (body: string) =>
      readBodyText(new Request('https://edge.example/', { method: 'POST', body }));
    expect(await send('x'.repeat(MAX_BODY_BYTES))).toHaveLength(MAX_BODY_BYTES);
    await expect(send('x'.repeat(MAX_BODY_BYTES + 1))).rejects.toMatchObject({
      code: 'payload_too_large',
    });
  });

  it('INIT-4: that declares too much is not read at all', async () => {
    const headers = { 'content-length': String(MAX_BODY_BYTES + 1) };
    const init = { method: 'POST', body: 'x', headers };
    await expect(readBodyText(new Request('https://edge.example/', init))).rejects.toMatchObject({
      code: 'payload_too_large',
    });
  });

  it('INIT-4: that declares nothing and never ends is stopped at the limit', async () => {
    let pieces = 0;
    const { request, isCancelled } = inPieces((controller) => {
      pieces += 1;
      controller.enqueue(new Uint8Array(64 * 1024));
    });
    await expect(readBodyText(request)).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(pieces).toBeLessThan(40);
    expect(isCancelled()).toBe(true);
  });
});
