/** Answers that callers await on the line, and how they end when the process goes down. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { FastifyInstance, FastifyReply } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    readonly awaited: AwaitedAnswers;
  }
}

/** The answers of an app that are not out yet. What is streamed is none of them. */
interface AwaitedAnswers {
  /** Aborts once the process goes down and answers have had their time; its reason is for callers. */
  readonly over: AbortSignal;
  /**
   * The process goes down: answers that are awaited have `graceMs` to come by themselves, and what is
   * awaited then is told so. Resolves once all of them are out; before the app is closed, which cuts
   * every connection.
   */
  end(graceMs: number): Promise<void>;
}

/** Time that answers have to reach their callers once nothing more is awaited, in ms. */
const LEAVE_MS = 2_000;

/** How often it is looked whether the last ones are out, in ms. */
const LOOK_MS = 20;

/** Adds `app.awaited`. */
export function addAwaitedAnswers(app: FastifyInstance): void {
  const replies = new Set<FastifyReply>();
  const over = new AbortController();

  app.addHook('onRequest', async (_request, reply) => {
    replies.add(reply);
    reply.raw.once('close', () => replies.delete(reply));
  });

  async function untilOut(some: readonly FastifyReply[], waitMs: number): Promise<void> {
    const untilMs = performance.now() + waitMs;
    const isAwaited = (reply: FastifyReply) => replies.has(reply) && isOnItsWay(reply);
    while (some.some(isAwaited) && performance.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  app.decorate('awaited', {
    over: over.signal,
    async end(graceMs) {
      // Those that come from now on hold nobody up: a host that is asked all the time could not end.
      await untilOut([...replies], graceMs);
      over.abort(
        new GatewayError('unavailable', 'The gateway is shutting down. Try again in a moment.', {
          details: { retryAfterSeconds: 5 },
        }),
      );
      await untilOut([...replies], LEAVE_MS);
    },
  });
}

/** Not begun, or not wholly taken. What was taken over from the app is a stream, until it has ended. */
function isOnItsWay({ sent, raw }: FastifyReply): boolean {
  return !sent || (raw.writableEnded && !raw.writableFinished);
}
