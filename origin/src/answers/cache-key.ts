/** What makes two requests equal. */

import { createHash } from 'node:crypto';
import type { AnswerWish } from './answer-service.ts';

/** Changes where the same wish would be answered otherwise than before. */
const VERSION = 1;

/** Everything of a wish that shapes its answer, as 64 hex digits; other subjects have other keys. */
export function cacheKeyOf(
  wish: AnswerWish,
  asked: { readonly model: string; readonly maxTokens: number },
): string {
  const { subject, messages, fallbackModels = [], temperature = null, textRules = null } = wish;
  const { model, maxTokens } = asked;
  const asks = [VERSION, subject, model, fallbackModels, temperature, maxTokens];
  return createHash('sha256')
    .update(JSON.stringify([...asks, textRules, messages]))
    .digest('hex');
}
