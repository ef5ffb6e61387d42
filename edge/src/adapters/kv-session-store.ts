/** A session's state in a Durable Object's storage. */

import type { SessionStore } from '@headwater/shared/stream/ports';
import type { SessionState, StreamRequest } from '@headwater/shared/stream/session-state';
import { openLongTexts } from './kv-long-text.ts';

/** All that changes in a session's life, and nothing that a caller sent. */
type Progress = Omit<SessionState, 'request'>;

const REQUEST = 'request';
const PROGRESS = 'session';

/** Opens the store. What was asked for is written once, and what becomes of it at each save. */
export function createKvSessionStore(kv: SyncKvStorage): SessionStore {
  const texts = openLongTexts(kv);
  let kept: StreamRequest | undefined;
  return {
    save({ request, ...progress }) {
      if (request !== kept) texts.put(REQUEST, JSON.stringify(request));
      kept = request;
      texts.put(PROGRESS, JSON.stringify(progress satisfies Progress));
    },
    load() {
      const progress = texts.get(PROGRESS);
      const request = texts.get(REQUEST);
      if (progress === undefined || request === undefined) return undefined;
      kept = JSON.parse(request) as StreamRequest;
      return { request: kept, ...(JSON.parse(progress) as Progress) };
    },
    drop() {
      kept = undefined;
      texts.drop(REQUEST);
      texts.drop(PROGRESS);
    },
  };
}

/** Whether the object keeps a session; looking creates nothing. */
export function hasSession(kv: SyncKvStorage): boolean {
  return kv.get(PROGRESS) !== undefined;
}
