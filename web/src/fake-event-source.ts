/** An EventSource for tests: events arrive when the test says so, and no network is involved. */

import type { EventSourceLike } from './stream-client.ts';

/** The fake and the strings a test pulls. */
export interface FakeEventSource extends EventSourceLike {
  readonly closed: boolean;
  open(): void;
  message(data: string, lastEventId?: string): void;
  restart(lastEventId: string): void;
  progress(fields: object, lastEventId: string): void;
  /** The gateway's `error` event: one with data. */
  fault(data: string, lastEventId?: string): void;
  /** The browser's own: 0 when it will come back by itself, 2 when it gave up. */
  drop(readyState: 0 | 2): void;
}

/** A fresh fake, connecting. Like the real one, it goes on delivering nothing by itself. */
export function createFakeEventSource(): FakeEventSource {
  const target = new EventTarget();
  let readyState = 0;
  let closed = false;
  return {
    get readyState() {
      return readyState;
    },
    get closed() {
      return closed;
    },
    addEventListener: (type, listener) => target.addEventListener(type, listener),
    close() {
      closed = true;
      readyState = 2;
    },
    open() {
      readyState = 1;
      target.dispatchEvent(new Event('open'));
    },
    message(data, lastEventId = '') {
      target.dispatchEvent(new MessageEvent('message', { data, lastEventId }));
    },
    restart(lastEventId) {
      const data = '{"reason":"unavailable","model":"echo"}';
      target.dispatchEvent(new MessageEvent('restart', { data, lastEventId }));
    },
    progress(fields, lastEventId) {
      const data = JSON.stringify(fields);
      target.dispatchEvent(new MessageEvent('progress', { data, lastEventId }));
    },
    fault(data, lastEventId = '') {
      target.dispatchEvent(new MessageEvent('error', { data, lastEventId }));
    },
    drop(next) {
      readyState = next;
      target.dispatchEvent(new Event('error'));
    },
  };
}
