/** Who may attempt which delivery when, in the memory of the one process that owns a store. */

import { createDueHeap, type Due, type DueHeap } from './due-heap.ts';
import { CLAIMS_PER_HOST } from './outbox-store.ts';

/** A claimed delivery. */
export interface BookedClaim {
  readonly id: string;
  readonly token: number;
}

/** Times and claims of pending deliveries; it holds no URL and no body. */
export interface ClaimBook {
  /** Enters a pending delivery; one with the same id is replaced. */
  add(id: string, receiver: string, dueMs: number): void;
  /** As `OutboxStore.claim`. */
  claim(nowMs: number, untilMs: number, limit: number): readonly BookedClaim[];
  /** Whether what came of an attempt under `token` counts. */
  accepts(id: string, token: number, isDelivered: boolean): boolean;
  /** Gives a claim back: the delivery is due again at `dueMs`, or over where that is absent. */
  settle(id: string, dueMs?: number): void;
  /** As `OutboxStore.nextDueMs`. */
  nextDueMs(): number | undefined;
  drop(id: string): void;
}

interface Entry {
  readonly id: string;
  readonly receiver: string;
  dueMs: number;
  /** Its place in the queue; absent while it is claimed. A place that is not this one is void. */
  place?: Due<Entry>;
  isClaimed: boolean;
  /** Of its last claim. */
  token?: number;
}

interface Receiver {
  readonly name: string;
  readonly queue: DueHeap<Entry>;
  entries: number;
  claims: number;
}

/**
 * Makes an empty book. A claim costs a logarithm of what waits, however many deliveries of a full
 * receiver are due before it: places that became void are passed over when they are met.
 */
export function createClaimBook(): ClaimBook {
  const entries = new Map<string, Entry>();
  const receivers = new Map<string, Receiver>();
  /** Receivers that have room, by their first delivery. */
  const open = createDueHeap<Receiver>();
  const leases = createDueHeap<{ readonly entry: Entry; readonly token: number }>();
  let lastToken = 0;

  function headOf({ queue }: Receiver): Due<Entry> | undefined {
    let head = queue.peek();
    while (head !== undefined && head.item.place !== head) {
      queue.pop();
      head = queue.peek();
    }
    return head;
  }

  function offer(receiver: Receiver): void {
    const head = receiver.claims < CLAIMS_PER_HOST ? headOf(receiver) : undefined;
    if (head !== undefined) open.push({ atMs: head.atMs, item: receiver });
  }

  function nextOpen(): Due<Receiver> | undefined {
    for (let due = open.peek(); due !== undefined; due = open.peek()) {
      const { item: receiver, atMs } = due;
      if (receiver.claims < CLAIMS_PER_HOST && headOf(receiver)?.atMs === atMs) return due;
      open.pop();
    }
    return undefined;
  }

  function nextLease() {
    for (let due = leases.peek(); due !== undefined; due = leases.peek()) {
      const { entry, token } = due.item;
      if (entry.isClaimed && entry.token === token && entries.get(entry.id) === entry) return due;
      leases.pop();
    }
    return undefined;
  }

  function receiverOf(entry: Entry): Receiver {
    let receiver = receivers.get(entry.receiver);
    if (receiver === undefined) {
      receiver = { name: entry.receiver, queue: createDueHeap(), entries: 0, claims: 0 };
      receivers.set(receiver.name, receiver);
    }
    return receiver;
  }

  function enqueue(entry: Entry, receiver: Receiver): void {
    entry.place = { atMs: entry.dueMs, item: entry };
    receiver.queue.push(entry.place);
  }

  function release(entry: Entry, receiver: Receiver): void {
    if (!entry.isClaimed) return;
    entry.isClaimed = false;
    receiver.claims -= 1;
  }

  function remove(id: string): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    const receiver = receiverOf(entry);
    entries.delete(id);
    delete entry.place;
    release(entry, receiver);
    receiver.entries -= 1;
    if (receiver.entries === 0) receivers.delete(receiver.name);
    else offer(receiver);
  }

  function freeRunOut(nowMs: number): void {
    for (let due = nextLease(); due !== undefined && due.atMs <= nowMs; due = nextLease()) {
      const { entry } = due.item;
      const receiver = receiverOf(entry);
      release(entry, receiver);
      enqueue(entry, receiver);
      offer(receiver);
    }
  }

  return {
    add(id, name, dueMs) {
      remove(id);
      const entry: Entry = { id, receiver: name, dueMs, isClaimed: false };
      entries.set(id, entry);
      const receiver = receiverOf(entry);
      receiver.entries += 1;
      enqueue(entry, receiver);
      offer(receiver);
    },
    claim(nowMs, untilMs, limit) {
      freeRunOut(nowMs);
      const claims: BookedClaim[] = [];
      while (claims.length < limit) {
        const due = nextOpen();
        if (due === undefined || due.atMs > nowMs) break;
        const receiver = due.item;
        const entry = receiver.queue.pop()?.item;
        if (entry === undefined) break;
        delete entry.place;
        lastToken += 1;
        entry.token = lastToken;
        entry.isClaimed = true;
        receiver.claims += 1;
        leases.push({ atMs: untilMs, item: { entry, token: lastToken } });
        offer(receiver);
        claims.push({ id: entry.id, token: lastToken });
      }
      return claims;
    },
    accepts(id, token, isDelivered) {
      const entry = entries.get(id);
      return entry !== undefined && (isDelivered || entry.token === token);
    },
    settle(id, dueMs) {
      const entry = entries.get(id);
      if (entry === undefined) return;
      if (dueMs === undefined) return remove(id);
      const receiver = receiverOf(entry);
      release(entry, receiver);
      entry.dueMs = dueMs;
      enqueue(entry, receiver);
      offer(receiver);
    },
    nextDueMs() {
      const times = [nextOpen(), nextLease()].flatMap((due) => (due === undefined ? [] : due.atMs));
      return times.length === 0 ? undefined : Math.min(...times);
    },
    drop: remove,
  };
}
