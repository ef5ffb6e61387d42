/** Characters that every gateway has. */

import type { CharacterFields } from './character.ts';

/** One of them. What it is changes with its version alone. */
export interface PredefinedCharacter {
  /** Lower case and hyphens; reserved for all callers. */
  readonly id: string;
  /** Counts from 1. */
  readonly version: number;
  /** Who it is, in one sentence. */
  readonly summary: string;
  readonly details: CharacterFields & { readonly name: string };
}
