import { expect, test } from 'vitest';
import { createWranglerLogFilter } from './wrangler-log.ts';

function filterAll(lines: readonly string[]): readonly string[] {
  const filter = createWranglerLogFilter();
  return lines.map(filter).filter((line) => line !== undefined);
}

test('banners, the table of bindings and request lines are dropped', () => {
  const lines = [
    ' ⛅️ wrangler 4.164.0',
    '────────────────────',
    'Using secrets defined in ../.data/edge.env',
    'Your Worker has access to the following bindings:',
    'Binding            Resource                Mode',
    'env.A ("b")        Environment Variable    local',
    '',
    '⎔ Starting local server...',
    '[wrangler:info] Ready on http://127.0.0.1:8787',
    '[wrangler:info] GET / 200 OK (3ms)',
    '🪵  Logs were written to "wrangler.log"',
  ];
  expect(filterAll(lines)).toEqual([]);
});

test("the Worker's JSON lines are kept, even while the table is printed", () => {
  const lines = ['Your Worker has access to the following bindings:', '{"level":30}', 'env.A', ''];
  expect(filterAll(lines)).toEqual(['{"level":30}']);
});

test('a JSON line that the Worker wrote with console.error loses its frame and colours', () => {
  const framed = '\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m {"level":50}';
  expect(filterAll([framed, '', ''])).toEqual(['{"level":50}']);
});

test('an error of wrangler itself is kept', () => {
  const lines = ['✘ [ERROR] Build failed', '[wrangler:error] Error: boom', '    at Object.fetch'];
  expect(filterAll(lines)).toEqual(lines);
});
