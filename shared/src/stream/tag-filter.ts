/** Leaves tags of HTML out of a text that streams, where a browser would load or run something by them. */

const LOADERS: ReadonlySet<string> = new Set([
  ...['img', 'image', 'picture', 'source', 'video', 'audio', 'track', 'iframe', 'frame', 'object'],
  ...['embed', 'svg', 'link', 'style', 'script', 'input', 'base', 'meta', 'use', 'portal', 'body'],
]);

/** Attributes by which any other element does. */
const LOADING = /[\s/"'](?:src|srcset|style|background|poster|data|on\w+|xlink:href)\s*=/i;

/** Longest tag that is waited for, in characters. */
const MAX_TAG = 2_000;

/**
 * Stands for a tag that was left out. Were it nothing, or a blank, what stands before and after could
 * be a new one: `<img<img> src=…`.
 */
const INSTEAD = '…';

/** Makes the filter. */
export function createTagFilter(): { take(text: string): string; end(): string } {
  let held = '';
  /** Characters of a tag that is being left out; `undefined` outside of one. */
  let dropped: number | undefined;

  function drain(isOver: boolean): string {
    let shown = '';
    while (held !== '') {
      if (dropped !== undefined) {
        const end = held.indexOf('>');
        const used = Math.min(end < 0 ? held.length : end + 1, MAX_TAG - dropped);
        held = held.slice(used);
        dropped += used;
        if (used === end + 1 || dropped === MAX_TAG) dropped = undefined;
        continue;
      }
      const at = held.indexOf('<');
      shown += at < 0 ? held : held.slice(0, at);
      held = at < 0 ? '' : held.slice(at);
      if (at < 0) break;
      const verdict = judge(held, isOver);
      if (verdict === 'wait') break;
      shown += verdict === 'drop' ? INSTEAD : '<';
      held = held.slice(1);
      if (verdict === 'drop') dropped = 0;
    }
    return shown;
  }

  return {
    take(text) {
      held += text;
      return drain(false);
    },
    end: () => drain(true),
  };
}

/** What to do with a text that begins with `<`. */
function judge(held: string, isOver: boolean): 'wait' | 'drop' | 'keep' {
  const text = held.slice(0, MAX_TAG);
  const mayGrow = !isOver && text.length < MAX_TAG;
  // HTML Standard, §13.2.5.8: a name goes on to the next blank, slash or end.
  const name = /^<\/?([a-z][^\s/>]*)/i.exec(text);
  if (name === null) return mayGrow && /^<\/?$/.test(text) ? 'wait' : 'keep';
  if (mayGrow && name[0].length === text.length) return 'wait';
  if (LOADERS.has((name[1] ?? '').toLowerCase())) return 'drop';
  const end = text.indexOf('>');
  if (end >= 0) return LOADING.test(text.slice(0, end)) ? 'drop' : 'keep';
  // A tag that never ends is one for a browser all the same, where it loads by then.
  if (mayGrow) return 'wait';
  return LOADING.test(text) ? 'drop' : 'keep';
}
