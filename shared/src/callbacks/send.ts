/** One attempt to deliver a callback over HTTP. */

import type { SignerOf } from '../security/hmac-keys.ts';
import { createWebhookSigner } from '../security/webhook-signature.ts';
import { type AttemptOutcome, classifyAnswer, parseRetryAfter } from './delivery.ts';

/** Time a receiver has to answer, in ms: Standard Webhooks recommends 15–30 s. */
const ANSWER_TIMEOUT_MS = 20_000;

/** Bytes of an answer that are read: enough for n8n's words. */
const ANSWER_PEEK_BYTES = 4096;

/** What an attempt needs. */
export interface SendOptions {
  /** `whsec_…` keys; each signs, so that a receiver's key holds through a rotation. */
  readonly secrets: readonly string[];
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly nowMs: () => number;
  /** Default: WebCrypto's. */
  readonly signerOf?: SignerOf;
}

/** Sends one signed callback; never throws: what fails is worth another attempt. */
export type SendCallback = (callback: {
  readonly id: string;
  readonly url: string;
  readonly body: string;
}) => Promise<AttemptOutcome>;

/** Makes the sender. Redirects are not followed, and the URL's query goes out word for word. */
export function createCallbackSender(options: SendOptions): SendCallback {
  const sign = createWebhookSigner(options.secrets, options.signerOf);
  return async ({ id, url, body }) => {
    const nowMs = options.nowMs();
    const abort = new AbortController();
    // Not `AbortSignal.timeout`: its timer would keep a Durable Object in memory after the answer.
    const timer = setTimeout(() => abort.abort(), ANSWER_TIMEOUT_MS);
    try {
      const signed = sign({ id, timestampSeconds: Math.floor(nowMs / 1000), body });
      const signature = signed instanceof Promise ? await signed : signed;
      const response = await options.fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'headwater', ...signature },
        body,
        redirect: 'manual',
        signal: abort.signal,
      });
      const peek = await peekBody(response);
      return classifyAnswer(
        response.status,
        response.headers.get('content-type') ?? '',
        peek,
        parseRetryAfter(response.headers.get('retry-after'), nowMs),
      );
    } catch {
      // No answer: refused, reset, timed out, no such host. All of them may pass.
      return { type: 'retry' };
    } finally {
      clearTimeout(timer);
    }
  };
}

async function peekBody(response: Response): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  while (bytes < ANSWER_PEEK_BYTES) {
    const { done, value } = await reader.read();
    if (done) return text;
    bytes += value.byteLength;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}
