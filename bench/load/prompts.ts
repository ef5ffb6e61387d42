/** What streams ask of the scripted vendor, and what must come back. */

import {
  answerTokens,
  readDirective,
  scriptedAnswer,
  scriptedPrompt,
} from '@headwater/shared/testing/vendors/directive';
import type { LoadPlan } from '../plan.ts';

/** Different answers, so that one stream's text in another's place is seen. */
const ANSWERS = 8;

/** A prompt and its answer. */
export interface Exchange {
  readonly prompt: string;
  readonly answer: string;
}

/** How long an answer is, and how fast it comes. */
type Pace = Pick<LoadPlan, 'tokens' | 'delayMs' | 'firstDelayMs'>;

/** Makes the exchanges of a load once; the n-th stream takes the one at n modulo their number. */
export function createExchanges({ tokens, delayMs, firstDelayMs }: Pace): Exchange[] {
  return Array.from({ length: ANSWERS }, (_, index) => {
    const prompt = scriptedPrompt({ tokens, seed: index + 1, delayMs, firstDelayMs });
    return { prompt, answer: scriptedAnswer(prompt) };
  });
}

/** The events' texts of an exchange's answer, one by one. */
export function tokensOf({ prompt }: Exchange): string[] {
  return answerTokens(readDirective(prompt));
}
