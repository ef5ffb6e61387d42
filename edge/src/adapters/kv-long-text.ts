/** Texts that may be longer than one value of a Durable Object's storage. */

/**
 * Characters a value: it may have 2 MB (Durable Objects, "Limits"), and a character up to two bytes
 * there.
 */
export const VALUE_CHARS = 512 * 1024;

/** Texts by name. A lone surrogate comes back as it was: a value is no UTF-8. */
export interface LongTexts {
  /** Replaces the whole text. */
  put(name: string, text: string): void;
  get(name: string): string | undefined;
  drop(name: string): void;
}

/** A text in parts: how many there are. Each is a value of its own, and one is left out: this one. */
interface Parts {
  readonly parts: number;
}

/**
 * Opens the texts. A short one is one value, under its name; a longer one has its parts beside it.
 * The object's own key-value table serves: it is there with the first write, and its statements are
 * prepared once, not once an object.
 */
export function openLongTexts(kv: SyncKvStorage): LongTexts {
  const partOf = (name: string, part: number): string => `${name}/${part}`;
  /** How many parts a text has beside it, where that is known without a look. */
  const known = new Map<string, number>();

  function partsOf(name: string): number {
    const sure = known.get(name);
    if (sure !== undefined) return sure;
    const value = kv.get<string | Parts>(name);
    return typeof value === 'object' ? value.parts : 0;
  }

  function dropParts(name: string, from: number): void {
    for (let part = partsOf(name) - 1; part >= from; part -= 1) kv.delete(partOf(name, part));
  }

  return {
    put(name, text) {
      const parts = text.length <= VALUE_CHARS ? 0 : Math.ceil(text.length / VALUE_CHARS);
      dropParts(name, parts);
      for (let part = 0; part < parts; part += 1) {
        const from = part * VALUE_CHARS;
        kv.put(partOf(name, part), text.slice(from, from + VALUE_CHARS));
      }
      kv.put<string | Parts>(name, parts === 0 ? text : { parts });
      known.set(name, parts);
    },
    get(name) {
      const value = kv.get<string | Parts>(name);
      if (typeof value !== 'object') return value;
      const texts = Array.from({ length: value.parts }, (_, part) =>
        kv.get<string>(partOf(name, part)),
      );
      return texts.join('');
    },
    drop(name) {
      dropParts(name, 0);
      kv.delete(name);
      known.set(name, 0);
    },
  };
}
