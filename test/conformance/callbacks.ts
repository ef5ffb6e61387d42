/** Callbacks to receivers that are slow, starting up, moved, or done. */

import { expect, it } from 'vitest';
import type { ReceiverAnswer } from '../hosts/callback-receiver.ts';
import { openStream, readStream, stateOnce } from '../hosts/gateway-client.ts';
import type { World } from '../hosts/world.ts';

/** Adds the tests. */
export function describeCallbacks(world: () => World): void {
  const run = async (name: string, answers: readonly ReceiverAnswer[], query = '') => {
    const { host, receiver } = world();
    const resumeUrl = receiver.urlFor(name, answers) + query;
    const streamUrl = await openStream(host.baseUrl, name, { resumeUrl, prompt: 'Tell me.' });
    await readStream(streamUrl);
    const state = await stateOnce(
      streamUrl,
      ({ callback }) =>
        !['pending', undefined].includes((callback as { status?: string } | null)?.status),
    );
    return { attempts: receiver.received(name), callback: state['callback'] };
  };

  it('OUTBOX-3: n8n that has not reached its Wait node, or is starting up, is called again with one id', async () => {
    const { attempts, callback } = await run('not-yet', [
      { status: 409, body: '{"message":"The execution is running already."}' },
      { status: 200, body: 'n8n is starting up. Please wait' },
      { status: 404, body: '<pre>Cannot POST</pre>', headers: { 'content-type': 'text/html' } },
      { status: 503 },
    ]);
    expect(callback).toEqual({ status: 'delivered', attempts: 5, lastStatus: 200 });
    expect(attempts).toHaveLength(5);
    expect(new Set(attempts.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(attempts.map(({ raw }) => raw)).size).toBe(1);
  });

  it('OUTBOX-3: n8n’s final answers are final', async () => {
    const finished = await run('finished', [
      { status: 409, body: '{"message":"The execution has finished already."}' },
    ]);
    expect(finished.callback).toEqual({ status: 'failed', attempts: 1, lastStatus: 409 });
    const gone = await run('gone', [
      {
        status: 404,
        body: '{"message":"The execution \\"7\\" does not exist."}',
        headers: { 'content-type': 'application/json' },
      },
    ]);
    expect(gone.callback).toEqual({ status: 'failed', attempts: 1, lastStatus: 404 });
  });

  it('OUTBOX-6: a redirect is not followed, and the query goes out word for word', async () => {
    const elsewhere = world().receiver.urlFor('elsewhere');
    const query = '?signature=aB%2f+c%20d&x=1&x=2';
    const { attempts, callback } = await run(
      'moved',
      [{ status: 307, headers: { location: elsewhere } }],
      query,
    );
    expect(callback).toEqual({ status: 'failed', attempts: 1, lastStatus: 307 });
    expect(attempts[0]?.target).toBe(`/moved${query}`);
    expect(world().receiver.received('elsewhere')).toEqual([]);
  });
}
