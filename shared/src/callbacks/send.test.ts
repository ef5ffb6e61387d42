import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { deriveWebhookSecret } from '../security/webhook-signature.ts';
import { createCallbackSender } from './send.ts';

const SECRETS = ['first-secret-of-at-least-32-bytes!!', 'older-secret-of-at-least-32-bytes!!'];
const URL_WITH_QUERY = 'https://n8n.example/webhook-waiting/7?signature=a%20b&x=%E2%9C%93';

const CALLBACK = { id: 'msg_s1', url: URL_WITH_QUERY, body: '{"answer":"é \\n \u{1F30A}"}' };

async function sendTo(answer: () => Response | Promise<Response>) {
  const calls: { url: string; init: RequestInit }[] = [];
  const secrets = await Promise.all(SECRETS.map(deriveWebhookSecret));
  const send = createCallbackSender({
    secrets,
    fetch: async (url, init) => {
      calls.push({ url, init });
      return answer();
    },
    nowMs: () => Date.now(),
  });
  const outcome = await send(CALLBACK);
  return { outcome, call: calls[0], secrets };
}

describe('one attempt', () => {
  it('OUTBOX-2: is verified by the `standardwebhooks` package with the first and with the older secret', async () => {
    const { call, secrets } = await sendTo(() => new Response('ok'));
    const headers = call?.init.headers as Record<string, string>;
    for (const secret of secrets) {
      expect(new Webhook(secret).verify(CALLBACK.body, headers)).toEqual(JSON.parse(CALLBACK.body));
    }
    expect(() => new Webhook(secrets[0] ?? '').verify(`${CALLBACK.body} `, headers)).toThrow();
    expect(headers['webhook-id']).toBe('msg_s1');
  });

  it('OUTBOX-6: goes to the URL word for word, as one POST that follows no redirect', async () => {
    const { call, outcome } = await sendTo(
      () => new Response(null, { status: 307, headers: { location: 'http://169.254.169.254/' } }),
    );
    expect(call?.url).toBe(URL_WITH_QUERY);
    expect(call?.init).toMatchObject({ method: 'POST', redirect: 'manual', body: CALLBACK.body });
    expect(call?.init.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(outcome).toEqual({ type: 'refused', status: 307 });
  });

  it('OUTBOX-3: reads n8n by its words, wherever the network cuts them', async () => {
    const pieces = ['n8n is star', 'ting up. Please wait'];
    const { outcome } = await sendTo(
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
              controller.close();
            },
          }),
        ),
    );
    expect(outcome).toEqual({ type: 'retry', status: 200 });
  });

  it('OUTBOX-4: hands on `Retry-After`', async () => {
    const { outcome } = await sendTo(
      () => new Response('', { status: 503, headers: { 'retry-after': '7' } }),
    );
    expect(outcome).toEqual({ type: 'retry', status: 503, retryAfterMs: 7000 });
  });

  it('OUTBOX-3: no answer is worth another attempt, and is never thrown', async () => {
    const refused = () => Promise.reject(new TypeError('connection refused'));
    expect((await sendTo(refused)).outcome).toEqual({ type: 'retry' });
    const broken = () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.error(new Error('reset')),
        }),
      );
    expect((await sendTo(broken)).outcome).toEqual({ type: 'retry' });
  });

  it('reads no more of an endless answer than it needs', async () => {
    let pulled = 0;
    let isCancelled = false;
    const { outcome } = await sendTo(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              pulled += 1;
              controller.enqueue(new Uint8Array(1024));
            },
            cancel() {
              isCancelled = true;
            },
          }),
        ),
    );
    expect(outcome.type).toBe('delivered');
    expect(pulled).toBeLessThan(10);
    expect(isCancelled).toBe(true);
  });
});
