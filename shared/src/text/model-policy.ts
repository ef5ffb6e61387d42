/** What a caller cares about where it names no model. */

/** Every policy there is. */
export const MODEL_POLICIES = ['cheap', 'fast', 'best'] as const;

/** The lowest price, the shortest wait for the first word, or the ablest model of those that are live. */
export type ModelPolicy = (typeof MODEL_POLICIES)[number];
