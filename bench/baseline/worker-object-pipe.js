/**
 * The script pipe in a Durable Object of its own for each answer, which keeps the request in a row
 * and forgets it by an alarm: what workerd takes for an object a stream, whatever it is for.
 */
// @ts-expect-error only workerd has it
import { DurableObject } from 'cloudflare:workers';

export class PipeObject extends DurableObject {
  /** @param {Request} request */
  async fetch(request) {
    const { env, ctx } = this;
    const body = await request.text();
    ctx.storage.kv.put('request', body);
    void ctx.storage.setAlarm(Date.now() + Number(env.KEEP_MS));
    const { pathname } = new URL(request.url);
    const { headers } = request;
    const answer = await fetch(env.UPSTREAM_URL + pathname, { method: 'POST', headers, body });
    if (answer.body === null) return answer;
    // @ts-expect-error only workerd has it
    const { readable, writable } = new IdentityTransformStream();
    ctx.waitUntil(copy(answer.body, writable));
    return new Response(readable, answer);
  }

  async alarm() {
    await this.ctx.storage.deleteAll();
  }
}

export default {
  /**
   * @param {Request} request
   * @param {{ PIPES: { newUniqueId(): object, get(id: object): typeof globalThis } }} env
   */
  fetch(request, { PIPES }) {
    // The bench asks until somebody answers.
    if (request.method !== 'POST') return new Response('ready');
    return PIPES.get(PIPES.newUniqueId()).fetch(request);
  },
};

/**
 * @param {ReadableStream<Uint8Array>} from
 * @param {WritableStream<Uint8Array>} to
 */
async function copy(from, to) {
  const reader = from.getReader();
  const writer = to.getWriter();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    await writer.write(value);
  }
  await writer.close();
}
