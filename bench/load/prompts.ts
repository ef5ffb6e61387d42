/** What streams ask of the scripted vendor, and what must come back. */

import { scriptedAnswer, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import type { LoadPlan } from '../plan.ts';

/** Different answers, so that one stream's text in another's place is seen. */
const ANSWERS = 8;

/** A prompt and its answer. */
export interface Exchange {
  readonly prompt: string;
  readonly answer: string;
}

/** Makes the exchanges of a load once; the n-th stream takes the one at n modulo their number. */
export function createExchanges({ tokens, delayMs, firstDelayMs }: LoadPlan): Exchange[] {
  return Array.from({ length: ANSWERS }, (_, index) => {
    const prompt = scriptedPrompt({ tokens, seed: index + 1, delayMs, firstDelayMs });
    return { prompt, answer: scriptedAnswer(prompt) };
  });
}
