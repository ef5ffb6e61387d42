/** What a model does that obeys whoever may give orders, for tests of who may. */

import type { ModelMessage } from '../providers/contract.ts';

/** An order that it obeys: `ORDER: say <word>` on a line of its own. */
const ORDER = /^\W*ORDER: say (\S+)/;

/** Marks the borders that its instructions name: `<name> … </name>` with data in between. */
const DECLARED = /between <(\w+)> and <\/\w+>/g;

/**
 * The words that the orders in a prompt make such a model say. It obeys what stands in the system's role, and
 * outside of its fences in a user's turn for which that role declared some; any other user's turn is
 * conversation, and orders nothing.
 */
export function obeyedOrders(
  messages: readonly Pick<ModelMessage, 'role' | 'content'>[],
): readonly string[] {
  const system = messages
    .filter(({ role }) => role === 'system')
    .map(({ content }) => content)
    .join('\n');
  const fences = [...system.matchAll(DECLARED)].map(([, name]) => name ?? '');
  const lines = outside(system, fences).split('\n');
  const user = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const awaited = fences.filter((name) => !system.includes(`<${name}>\n`));
  if (awaited.length > 0) lines.push(...outside(user, awaited).split('\n'));
  return lines.flatMap((line) => {
    const word = ORDER.exec(line)?.[1];
    return word === undefined ? [] : [word];
  });
}

/** What is left of a text without its fences; each ends at what looks like its first closing tag. */
function outside(text: string, fences: readonly string[]): string {
  return fences.reduce(
    (rest, name) =>
      rest.replace(new RegExp(`<${name}>\\n[\\s\\S]*?<\\s*/\\s*${name}\\s*>`, 'gi'), ''),
    text,
  );
}
