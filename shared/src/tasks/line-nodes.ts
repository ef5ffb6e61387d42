/** Who runs tasks, by their own word. */

/** A node whose life ended this long before another's is forgotten, in ms. */
const FORGOTTEN_MS = 60_000;

/** The nodes of a store. */
export interface LineNodes {
  beat(node: string, untilMs: number, types: readonly string[]): void;
  leave(node: string): void;
  isAlive(node: string, nowMs: number): boolean;
  alive(nowMs: number): readonly string[];
  /** Types that they run, each once. */
  types(nowMs: number): readonly string[];
}

/** Makes it without nodes. */
export function createLineNodes(): LineNodes {
  const nodes = new Map<string, { readonly untilMs: number; readonly types: readonly string[] }>();

  function isAlive(node: string, nowMs: number): boolean {
    const known = nodes.get(node);
    return known !== undefined && known.untilMs >= nowMs;
  }

  const alive = (nowMs: number) => [...nodes.keys()].filter((node) => isAlive(node, nowMs));

  return {
    beat(node, untilMs, types) {
      // A node that was frozen goes on under a new name: those that are past are never asked for.
      for (const [name, known] of nodes) {
        if (known.untilMs < untilMs - FORGOTTEN_MS) nodes.delete(name);
      }
      nodes.set(node, { untilMs, types });
    },
    leave: (node) => void nodes.delete(node),
    isAlive,
    alive,
    types: (nowMs) => [...new Set(alive(nowMs).flatMap((node) => nodes.get(node)?.types ?? []))],
  };
}
