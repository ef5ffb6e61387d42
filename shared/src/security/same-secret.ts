/** Compares secrets without telling by the time it takes how much of them agrees. */

const encoder = new TextEncoder();

/**
 * Whether two secrets are equal, in a time that depends on their lengths alone. Both are hashed
 * with SHA-256 first, so that a difference in length is no shortcut either.
 */
export async function sameSecret(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([digestOf(a), digestOf(b)]);
  let difference = 0;
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0x100);
  return difference === 0;
}

/** Compares two texts whose length is no secret, in a time that says nothing of where they differ. */
export function isSameText(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; at += 1) {
    difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  }
  return difference === 0;
}

async function digestOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)));
}
