/** The command line that does what the form does. */

import { initBody, type StreamRequest } from './stream-client.ts';

/** Quotes a text as one word of a POSIX shell, whatever it holds. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * A JSON body as one shell word. `!` is written as its JSON escape: the word stands inside
 * `"$(…)"`, where an interactive bash or zsh expands history even between single quotes.
 */
function quoteJson(json: string): string {
  return shellQuote(json.replaceAll('!', '\\u0021'));
}

const STREAM_URL_OF = String.raw`s/.*"streamUrl": *"\([^"]*\)".*/\1/p`;

/** Opens a stream and reads it in one command: POST /init-stream, take streamUrl, GET it. */
export function curlFor(request: StreamRequest, baseUrl: string): string {
  return [
    `curl -N "$(curl -fsS ${shellQuote(new URL('init-stream', baseUrl).href)} \\`,
    "  -H 'content-type: application/json' \\",
    `  --data ${quoteJson(initBody(request))} |`,
    `  sed -n ${shellQuote(STREAM_URL_OF)})"`,
  ].join('\n');
}
