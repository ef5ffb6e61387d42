/** `POST /init-stream` on the edge. */

import { openStream } from '@headwater/shared/gateway/open-stream';
import { rateLimited } from '@headwater/shared/gateway/rate-limited';
import { readBodyText } from '@headwater/shared/gateway/read-body';
import { Hono } from 'hono';
import type { EdgeContext } from '../middleware/request-context.ts';

export const initStreamRoute = new Hono<EdgeContext>().post('/init-stream', async (c) => {
  const { settings, authorise, accessTokens, registry } = c.get('gateway');
  const { SESSIONS, SUBJECTS } = c.env;
  const url = new URL(c.req.url);
  const answer = await openStream(
    {
      settings,
      authorise,
      accessTokens,
      registry,
      nowMs: Date.now,
      // Random ids skip the world-wide uniqueness check that a name's first use pays.
      newStreamId: () => SESSIONS.newUniqueId().toString(),
      async admit(subject) {
        const waitSeconds = await SUBJECTS.getByName(subject).admit();
        if (waitSeconds > 0) throw rateLimited(waitSeconds);
      },
      create: (state) => SESSIONS.get(SESSIONS.idFromString(state.request.streamId)).open(state),
    },
    {
      contentType: c.req.header('content-type') ?? null,
      bodyText: await readBodyText(c.req.raw),
      authorization: c.req.header('authorization') ?? null,
      apiKey: c.req.header('x-api-key') ?? null,
      requestBaseUrl: url.origin,
    },
  );
  c.get('logger').info({ streamId: answer.streamId }, 'stream opened');
  return c.json({ ok: answer.ok, streamUrl: answer.streamUrl });
});
