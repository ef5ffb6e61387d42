import { describe, expect, it } from 'vitest';
import {
  type AttemptOutcome,
  afterAttempt,
  classifyAnswer,
  type DeliveryState,
  GIVE_UP_AFTER_MS,
  newDelivery,
  parseRetryAfter,
} from './delivery.ts';

const NOW_MS = Date.UTC(2030, 0, 1);
const MINUTE_MS = 60_000;
const RETRY: AttemptOutcome = { type: 'retry', status: 503 };

const fresh = () => newDelivery({ id: 'm1', url: 'https://n8n.example/', body: '{}' }, NOW_MS);

describe('what an answer means', () => {
  const json = 'application/json; charset=utf-8';
  const html = 'text/html; charset=utf-8';
  it.each<[string, number, string, string, AttemptOutcome['type']]>([
    ['2xx delivers', 200, json, '{"message":"ok"}', 'delivered'],
    ['2xx without a body delivers', 204, '', '', 'delivered'],
    ['n8n starting up is no delivery', 200, html, 'n8n is starting up. Please wait', 'retry'],
    [
      'n8n not at its Wait yet',
      409,
      json,
      '{"message":"The execution is running already."}',
      'retry',
    ],
    ['n8n finished', 409, json, '{"message":"The execution has finished already."}', 'refused'],
    ['n8n execution gone', 404, json, '{"message":"The execution 1 does not exist."}', 'refused'],
    [
      'n8n Wait node with another method',
      404,
      json,
      '{"message":"no matching path/method"}',
      'retry',
    ],
    ['n8n starting, no route yet', 404, html, 'Cannot POST /webhook-waiting/1', 'retry'],
    ['words alone, in HTML, are not final', 404, html, 'this page does not exist', 'retry'],
    ['gone', 410, json, '', 'refused'],
    ['a redirect', 302, '', '', 'refused'],
    ['a permanent redirect', 308, '', '', 'refused'],
    ['bad request', 400, json, '', 'refused'],
    ['not authorised', 401, json, '', 'refused'],
    ['forbidden', 403, json, '', 'refused'],
    ['too large', 413, json, '', 'refused'],
    ['request timeout', 408, '', '', 'retry'],
    ['too early', 425, '', '', 'retry'],
    ['too many requests', 429, '', '', 'retry'],
    ['server error', 500, json, '', 'retry'],
    ['bad gateway', 502, html, '', 'retry'],
    ['gateway timeout', 504, html, '', 'retry'],
  ])('OUTBOX-3: %s (%i)', (_case, status, contentType, body, type) => {
    expect(classifyAnswer(status, contentType, body, undefined)).toEqual({ type, status });
  });

  it('OUTBOX-4: what is tried again remembers `Retry-After`', () => {
    expect(classifyAnswer(429, '', '', 5000)).toEqual({
      type: 'retry',
      status: 429,
      retryAfterMs: 5000,
    });
  });
});

describe('when a callback is sent again', () => {
  it('is due at once when it is new', () => {
    expect(fresh()).toMatchObject({ status: 'pending', attempts: 0, nextAttemptAtMs: NOW_MS });
  });

  it('OUTBOX-4: pauses double from 250 ms to 15 min', () => {
    let state = fresh();
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 14; attempt += 1) {
      state = afterAttempt(state, RETRY, NOW_MS, 0);
      pauses.push(state.nextAttemptAtMs - NOW_MS);
    }
    expect(pauses.slice(0, 4)).toEqual([250, 500, 1000, 2000]);
    expect(pauses.at(-3)).toBe(512_000);
    expect(pauses.slice(-2)).toEqual([15 * MINUTE_MS, 15 * MINUTE_MS]);
    expect(state).toMatchObject({ attempts: 14, lastStatus: 503, status: 'pending' });
  });

  it('OUTBOX-4: jitter stretches a pause by up to a half', () => {
    expect(afterAttempt(fresh(), RETRY, NOW_MS, 1).nextAttemptAtMs).toBe(NOW_MS + 375);
    expect(afterAttempt(fresh(), RETRY, NOW_MS, 0.5).nextAttemptAtMs).toBe(NOW_MS + 313);
  });

  it('OUTBOX-4: a pause is never shorter than `Retry-After`, and may be longer', () => {
    const asked: AttemptOutcome = { type: 'retry', status: 429, retryAfterMs: 7000 };
    expect(afterAttempt(fresh(), asked, NOW_MS, 0).nextAttemptAtMs).toBe(NOW_MS + 7000);
    const late: DeliveryState = { ...fresh(), attempts: 10 };
    expect(afterAttempt(late, asked, NOW_MS, 0).nextAttemptAtMs).toBe(NOW_MS + 256_000);
  });

  it('OUTBOX-4: after 72 h it is given up', () => {
    const old: DeliveryState = { ...fresh(), attempts: 300 };
    const justInTime = NOW_MS + GIVE_UP_AFTER_MS - 15 * MINUTE_MS;
    expect(afterAttempt(old, RETRY, justInTime, 0).status).toBe('pending');
    expect(afterAttempt(old, RETRY, justInTime + 1, 0).status).toBe('failed');
  });

  it('OUTBOX-3: an attempt without an answer is tried again and shows no status', () => {
    const state = afterAttempt(fresh(), { type: 'retry' }, NOW_MS, 0);
    expect(state).toMatchObject({ status: 'pending', attempts: 1 });
    expect(state).not.toHaveProperty('lastStatus');
  });

  it('OUTBOX-3: delivered and refused are final', () => {
    const delivered = afterAttempt(fresh(), { type: 'delivered', status: 200 }, NOW_MS, 0);
    expect(delivered).toMatchObject({ status: 'delivered', attempts: 1, lastStatus: 200 });
    const refused = afterAttempt(fresh(), { type: 'refused', status: 410 }, NOW_MS, 0);
    expect(refused).toMatchObject({ status: 'failed', attempts: 1, lastStatus: 410 });
  });
});

describe('Retry-After', () => {
  it('is read as seconds or as a date', () => {
    expect(parseRetryAfter('2', NOW_MS)).toBe(2000);
    expect(parseRetryAfter(' 2 ', NOW_MS)).toBe(2000);
    expect(parseRetryAfter(new Date(NOW_MS + 30_000).toUTCString(), NOW_MS)).toBe(30_000);
  });

  it('counts an hour at most', () => {
    expect(parseRetryAfter('86400', NOW_MS)).toBe(60 * MINUTE_MS);
  });

  it('is nothing where it is absent, past or not to be read', () => {
    const past = new Date(NOW_MS - 30_000).toUTCString();
    for (const header of [null, '', ' ', '0', '-3', 'soon', past]) {
      expect(parseRetryAfter(header, NOW_MS), String(header)).toBeUndefined();
    }
  });
});
