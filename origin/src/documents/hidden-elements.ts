/** Elements of a page that its readers do not see: text in them speaks to machines alone. */

/** Never text, whatever is in them. */
const NO_TEXT: ReadonlySet<string> = new Set([
  ...['script', 'style', 'template', 'noscript', 'svg', 'math', 'canvas', 'iframe', 'frame'],
  ...['object', 'embed', 'applet', 'audio', 'video', 'map', 'select', 'datalist', 'textarea'],
  ...['noembed', 'noframes', 'rp', 'meter', 'progress', 'portal', 'fencedframe', 'dialog'],
]);

/** Declarations that take an element out of sight, or make it too small or too clear to be read. */
const HIDING =
  /(?:^|[;{\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|content-visibility\s*:\s*hidden|opacity\s*:\s*0?(?:\.0\d*)?\s*(?:%|;|!|$)|font-size\s*:\s*(?:0(?![.\d])|0?\.\d|1px)|text-indent\s*:\s*-\d{3,}|(?:left|top|right|bottom)\s*:\s*-\d{3,}|clip\s*:\s*rect\(\s*[01](?:px)?[\s,]|clip-path\s*:\s*inset\(\s*(?:50|100)%|(?:max-)?(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|!|$)|color\s*:\s*transparent)/i;

/** Longest rule book that is looked through, in characters. */
const MAX_STYLE_CHARS = 1_000_000;

/** Says which elements are hidden, by attributes and by the rules seen so far. */
export interface HiddenElements {
  /** Takes the text of a `style` element. Only selectors of one class, id or name count. */
  learn(css: string): void;
  isHidden(name: string, attributes: Readonly<Record<string, string>>): boolean;
}

/** Makes one for a page. */
export function createHiddenElements(): HiddenElements {
  const selectors = new Set<string>();
  return {
    learn(css) {
      for (const [, heads = '', body = ''] of css
        .slice(0, MAX_STYLE_CHARS)
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .matchAll(/([^{}]{1,2000})\{([^{}]{0,5000})\}/g)) {
        if (!HIDING.test(body)) continue;
        for (const head of heads.split(',')) {
          if (/^\s*[.#]?[\w-]+\s*$/.test(head)) selectors.add(head.trim());
        }
      }
    },
    isHidden(name, attributes) {
      if (NO_TEXT.has(name) && !(name === 'dialog' && 'open' in attributes)) return true;
      if ('hidden' in attributes || attributes['aria-hidden']?.toLowerCase() === 'true')
        return true;
      const { style, id, class: classes = '' } = attributes;
      if (style !== undefined && HIDING.test(style)) return true;
      if (selectors.size === 0) return false;
      return (
        selectors.has(name) ||
        (id !== undefined && selectors.has(`#${id}`)) ||
        classes.split(/\s+/).some((one) => selectors.has(`.${one}`))
      );
    },
  };
}
