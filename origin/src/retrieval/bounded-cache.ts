/** What never changes under its key, as long as there is room for it. */

/** A bounded cache; what was not used for longest goes first. */
export interface BoundedCache<Value> {
  get(key: string): Value | undefined;
  /** `bytes` is what the value takes, about. */
  set(key: string, value: Value, bytes: number): void;
}

/** What an entry costs beside its value, about. */
const ENTRY_BYTES = 160;

/** What is larger than an eighth of `maxBytes` is not kept. */
export function createBoundedCache<Value>(maxBytes: number): BoundedCache<Value> {
  const entries = new Map<string, { readonly value: Value; readonly cost: number }>();
  let kept = 0;
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, bytes) {
      const cost = bytes + ENTRY_BYTES;
      if (entries.has(key) || cost > maxBytes / 8) return;
      entries.set(key, { value, cost });
      kept += cost;
      for (const [oldest, entry] of entries) {
        if (kept <= maxBytes) break;
        entries.delete(oldest);
        kept -= entry.cost;
      }
    },
  };
}
