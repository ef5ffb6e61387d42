/** Names of tasks and batches. */

import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 24 characters of base 62 hold 142 bits: nobody guesses one, and no two are alike. */
const LENGTH = 24;

/** Bytes from here on would make the first characters of the alphabet likelier than the rest. */
const FAIR_BELOW = 256 - (256 % ALPHABET.length);

/** Bytes drawn at once: asking for them costs as much as some hundred of them. */
const DRAWN_AT_ONCE = 4096;

let drawn: Uint8Array = new Uint8Array();
let used = 0;

function nextByte(): number {
  if (used >= drawn.length) {
    drawn = randomBytes(DRAWN_AT_ONCE);
    used = 0;
  }
  used += 1;
  return drawn[used - 1] ?? FAIR_BELOW;
}

/** A new id of a task, or of a batch. */
export function newId(kind: 'task' | 'batch'): string {
  let text = '';
  while (text.length < LENGTH) {
    const byte = nextByte();
    if (byte < FAIR_BELOW) text += ALPHABET[byte % ALPHABET.length];
  }
  return `${kind}_${text}`;
}

/** Which of the two an id names; `undefined` for what {@link newId} cannot have made. */
export function kindOf(id: string): 'task' | 'batch' | undefined {
  const match = /^(task|batch)_[0-9A-Za-z]{24}$/.exec(id);
  return match === null ? undefined : (match[1] as 'task' | 'batch');
}
