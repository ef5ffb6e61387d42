import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { curlFor, shellQuote } from './curl.ts';

const BASE_URL = 'http://127.0.0.1:8787/';
const RESUME_URL = 'http://127.0.0.1:8787/dev/callback';

/**
 * Runs a command in a real shell where `curl` only prints its arguments, one a line, the outer call
 * after the inner one has printed to stderr.
 */
function runWithFakeCurl(command: string): { inner: string[]; outer: string[] } {
  const script = `curl() {
    if [ "$1" = -N ]; then printf 'outer:%s\\n' "$@"; return; fi
    printf 'inner:%s\\n' "$@" >&2
    printf '%s' '{"ok":true,"streamUrl":"http://127.0.0.1:8787/stream/a?access_token=t&x=1"}'
  }
  ${command}`;
  const output = execFileSync('/bin/sh', ['-c', `exec 2>&1; ${script}`], { encoding: 'utf8' });
  const linesOf = (mark: string) =>
    output
      .split('\n')
      .filter((line) => line.startsWith(mark))
      .map((line) => line.slice(mark.length));
  return { inner: linesOf('inner:'), outer: linesOf('outer:') };
}

describe('shellQuote', () => {
  it.each(["it's", "''", '$HOME `id` $(id)', 'a\\b', '"x"', 'a\nb', '* ? ~ & ; |', ''])(
    'gives a real shell exactly the text back: %j',
    (text) => {
      const printed = execFileSync('/bin/sh', ['-c', `printf %s ${shellQuote(text)}`]);
      expect(printed.toString()).toBe(text);
    },
  );
});

describe('curlFor', () => {
  it('sends the same JSON as the form, whatever the prompt holds', () => {
    const request = {
      prompt: `It's "5 $" \`now\`! a\\b\nnext – $(id) é`,
      resumeUrl: RESUME_URL,
      model: 'echo',
    };
    const { inner } = runWithFakeCurl(curlFor(request, BASE_URL));
    expect(inner[1]).toBe('http://127.0.0.1:8787/init-stream');
    expect(JSON.parse(inner.at(-1) ?? '')).toEqual(request);
  });

  it('reads the streamUrl the first call returned', () => {
    const { outer } = runWithFakeCurl(curlFor({ prompt: 'Hi', resumeUrl: RESUME_URL }, BASE_URL));
    expect(outer).toEqual(['-N', 'http://127.0.0.1:8787/stream/a?access_token=t&x=1']);
  });

  it('holds no exclamation mark, which an interactive shell would expand', () => {
    expect(curlFor({ prompt: 'Go!now !!', resumeUrl: RESUME_URL }, BASE_URL)).not.toContain('!');
  });
});
